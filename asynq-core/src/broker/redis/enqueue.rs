//! The enqueue script's call and its answer.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use redis::Value;

use super::RedisBroker;
use super::reply::Reader;
use super::script::{Call, LONGEST_TTL, Name};
use crate::broker::{BrokerError, EnqueueError, NewTask, Placement, Tick, Ticked};
use crate::task::{QueueName, UniqueUntil};
use crate::wire::TaskMessage;
use crate::wire::keys::QueueKeys;

const DOING: &str = "enqueue";

/// Most tasks whose arguments stand in columns: as many as Lua can unpack.
const MOST_IN_COLUMNS: usize = 500;
/// Bytes that a task's key has behind the queue's prefix, where the ID is as we make them; others may be longer.
pub(super) const ROOM_FOR_ID: usize = 38;

impl RedisBroker {
    /// Stores new tasks: one script call for each queue; they travel together.
    pub(super) async fn enqueue_by_queue(&self, tasks: &[NewTask]) -> Vec<Result<(), EnqueueError>> {
        if let [task] = tasks {
            return vec![self.enqueue_with_others(task).await];
        }
        // Mostly there is one queue.
        if let [first, others @ ..] = tasks
            && others.iter().all(|task| task.message.queue == first.message.queue)
        {
            return self.enqueue_in(&QueueName::stored(&first.message.queue), tasks).await;
        }
        let mut queues: Vec<(QueueName, Vec<usize>)> = Vec::new();
        for (at, task) in tasks.iter().enumerate() {
            match queues.iter_mut().find(|(queue, _)| *queue == task.message.queue.as_str()) {
                Some((_, places)) => places.push(at),
                None => queues.push((QueueName::stored(&task.message.queue), vec![at])),
            }
        }
        let calls = queues.iter().map(|(queue, places)| async move {
            self.enqueue_in(queue, places.iter().filter_map(|&at| tasks.get(at))).await
        });
        let mut results: Vec<_> =
            tasks.iter().map(|_| Err(EnqueueError::Broker(BrokerError::protocol("enqueue")))).collect();
        for ((_, places), outcome) in queues.iter().zip(join_all(calls).await) {
            for (&at, result) in places.iter().zip(outcome) {
                if let Some(slot) = results.get_mut(at) {
                    *slot = result;
                }
            }
        }
        results
    }

    /// Stores new tasks of one queue: one script call.
    async fn enqueue_in<'a>(
        &self,
        queue: &QueueName,
        tasks: impl IntoIterator<Item = &'a NewTask>,
    ) -> Vec<Result<(), EnqueueError>> {
        let tasks: Vec<_> = tasks.into_iter().map(EncodedTask::new).collect();
        self.enqueue_encoded(queue, &tasks).await
    }

    /// Sends one call that carries these tasks.
    pub(super) async fn enqueue_encoded(
        &self,
        queue: &QueueName,
        tasks: &[EncodedTask<'_>],
    ) -> Vec<Result<(), EnqueueError>> {
        match self.try_enqueue(queue, tasks).await {
            Ok(outcomes) => outcomes,
            Err(error) => tasks.iter().map(|_| Err(error.clone().into())).collect(),
        }
    }

    async fn try_enqueue(
        &self,
        queue: &QueueName,
        tasks: &[EncodedTask<'_>],
    ) -> Result<Vec<Result<(), EnqueueError>>, BrokerError> {
        let call = self.loaded_call(queue, tasks);
        match self.run_storing(queue, call, DOING).await? {
            Value::Int(stored) if usize::try_from(stored) == Ok(tasks.len()) => {
                Ok(tasks.iter().map(|_| Ok(())).collect())
            }
            Value::Array(outcomes) if outcomes.len() == tasks.len() => {
                outcomes.into_iter().map(read_outcome).collect()
            }
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    /// A call that carries these tasks.
    pub(super) fn loaded_call(&self, queue: &QueueName, tasks: &[EncodedTask<'_>]) -> Call {
        let keys = self.keyspace.queue(queue);
        let mut call = self.enqueue_call(queue, &keys);
        let Some(kind) = kind_of_columns(tasks) else {
            call.arg("r");
            for task in tasks {
                task.add_to(&mut call);
            }
            return call;
        };
        call.arg(&[kind][..]);
        let mut key = String::with_capacity(keys.prefix().len() + ROOM_FOR_ID);
        for EncodedTask { id, .. } in tasks {
            keys.write_task(&mut key, id);
            call.arg(&key);
        }
        for EncodedTask { id, .. } in tasks {
            call.arg(&**id);
        }
        for EncodedTask { message, .. } in tasks {
            call.arg(message);
        }
        for group in tasks.iter().filter_map(|task| task.place.as_deref()) {
            call.arg(group);
        }
        call
    }

    /// The task of a tick, by the same script.
    pub(super) async fn enqueue_ticked(&self, tick: &Tick, task: &NewTask) -> Result<Ticked, EnqueueError> {
        let queue = QueueName::stored(&task.message.queue);
        let keys = self.keyspace.queue(&queue);
        let mut call = self.enqueue_call(&queue, &keys);
        call.arg("t").arg(keys.ticks()).arg(&tick.entry).arg(tick.at);
        EncodedTask::new(task).add_to(&mut call);
        let mut answer = match self.run_storing(&queue, call, DOING).await? {
            Value::Int(1) => return Ok(Ticked::Enqueued),
            refused => Reader::new(refused, DOING)?,
        };
        match answer.value()? {
            Value::Int(2) => Ok(Ticked::Passed),
            other => read_outcome(other)?.map(|()| Ticked::Enqueued),
        }
    }

    /// A call that carries no task yet.
    fn enqueue_call(&self, queue: &QueueName, keys: &QueueKeys) -> Call {
        let names: Vec<String> = std::iter::once(keys.pending()).chain(self.known_queues_key()).collect();
        let mut call = Call::new(Name::enqueue, names);
        call.arg(self.name_to_make_known(queue))
            .arg(keys.prefix())
            .arg(self.now_seconds())
            .arg(self.clock.unix_nanos());
        call
    }
}

/// The kind of these tasks, if their arguments can stand in columns: see `columns.lua`.
fn kind_of_columns(tasks: &[EncodedTask<'_>]) -> Option<u8> {
    let (first, others) = tasks.split_first()?;
    let are_distinct = || {
        let mut seen = HashSet::with_capacity(tasks.len());
        tasks.iter().all(|task| seen.insert(&*task.id))
    };
    let can_stand = matches!(first.kind, b'p' | b'g')
        && tasks.len() <= MOST_IN_COLUMNS
        && others.iter().all(|task| task.kind == first.kind)
        && (others.is_empty() || are_distinct());
    can_stand.then_some(first.kind)
}

/// What became of one task.
fn read_outcome(value: Value) -> Result<Result<(), EnqueueError>, BrokerError> {
    match value {
        Value::Int(1) => Ok(Ok(())),
        Value::Int(0) => Ok(Err(EnqueueError::IdConflict)),
        Value::BulkString(holder) => {
            Ok(Err(EnqueueError::Duplicate { holder: String::from_utf8_lossy(&holder).into_owned() }))
        }
        _ => Err(BrokerError::protocol(DOING)),
    }
}

/// What became of each task of a call.
pub(super) type Outcomes = Arc<[Result<(), EnqueueError>]>;

/// A new task as the scripts read it.
pub(super) struct EncodedTask<'a> {
    kind: u8,
    id: Cow<'a, str>,
    message: Vec<u8>,
    /// When it is due, its group, or both, unless it is pending.
    place: Option<Cow<'a, str>>,
    /// Key and time of its lock.
    lock: Option<(Cow<'a, str>, String)>,
}

impl<'a> EncodedTask<'a> {
    pub(super) fn new(task: &'a NewTask) -> Self {
        let NewTask { message, placement, unique_ttl, unique_until } = task;
        let lock = lock(message, *unique_ttl, *unique_until);
        let group = message.group_key.as_str();
        let (kind, place) = match placement {
            Placement::Pending => (b'p', None),
            Placement::Scheduled(at) if group.is_empty() => (b's', Some(Cow::Owned(at.to_string()))),
            Placement::Scheduled(at) => (b'd', Some(Cow::Owned(format!("{at}:{group}")))),
            Placement::Group => (b'g', Some(Cow::Borrowed(group))),
        };
        Self {
            kind: if lock.is_some() { kind.to_ascii_uppercase() } else { kind },
            id: Cow::Borrowed(&message.id),
            message: message.encode(),
            place,
            lock: lock.map(|(key, time)| (Cow::Borrowed(key), time)),
        }
    }

    /// The same, for as long as it is needed.
    pub(super) fn into_owned(self) -> EncodedTask<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        EncodedTask {
            kind: self.kind,
            id: own(self.id),
            message: self.message,
            place: self.place.map(own),
            lock: self.lock.map(|(key, time)| (own(key), time)),
        }
    }

    /// How many bytes it has, or nearly.
    pub(super) fn len(&self) -> usize {
        self.message.len()
    }

    /// Adds its arguments: kind, ID, message, and what `insert.lua` reads.
    pub(super) fn add_to(&self, call: &mut Call) {
        call.arg(&[self.kind][..]).arg(&*self.id).arg(&self.message);
        if let Some(place) = &self.place {
            call.arg(&**place);
        }
        if let Some((key, time)) = &self.lock {
            call.arg(&**key).arg(time);
        }
    }
}

/// The key and the time of the lock of a new task, as `lock.lua` reads them, if it takes one.
pub(super) fn lock(message: &TaskMessage, ttl: i64, until: UniqueUntil) -> Option<(&str, String)> {
    if ttl <= 0 || message.unique_key.is_empty() {
        return None;
    }
    let ttl = ttl.min(LONGEST_TTL);
    let time = match until {
        UniqueUntil::Success => ttl.to_string(),
        UniqueUntil::Start | UniqueUntil::Ttl => format!("{ttl}:{}", until.as_str()),
    };
    Some((&message.unique_key, time))
}
