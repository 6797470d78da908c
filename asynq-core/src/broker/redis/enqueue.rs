//! The enqueue script's call and its answer.

use std::sync::Arc;

use futures_util::future::join_all;
use redis::Value;

use super::RedisBroker;
use super::reply::Reader;
use super::script::{Call, LONGEST_TTL, Name};
use crate::broker::{BrokerError, EnqueueError, NewTask, Placement, Tick, Ticked};
use crate::task::{QueueName, UniqueUntil};
use crate::wire::TaskMessage;

const DOING: &str = "enqueue";

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
    pub(super) async fn enqueue_in<'a>(
        &self,
        queue: &QueueName,
        tasks: impl IntoIterator<Item = &'a NewTask>,
    ) -> Vec<Result<(), EnqueueError>> {
        let (call, count) = self.loaded_call(queue, tasks);
        self.enqueue_loaded(queue, call, count).await
    }

    /// A call that carries these tasks, and how many they are.
    pub(super) fn loaded_call<'a>(
        &self,
        queue: &QueueName,
        tasks: impl IntoIterator<Item = &'a NewTask>,
    ) -> (Call, usize) {
        let (mut call, mut count) = (self.enqueue_call(queue), 0);
        for task in tasks {
            EncodedTask::new(task).add_to(&mut call);
            count += 1;
        }
        (call, count)
    }

    /// Sends a call that carries so many tasks.
    pub(super) async fn enqueue_loaded(
        &self,
        queue: &QueueName,
        call: Call,
        tasks: usize,
    ) -> Vec<Result<(), EnqueueError>> {
        match self.try_enqueue_loaded(queue, call, tasks).await {
            Ok(outcomes) => outcomes,
            Err(error) => (0..tasks).map(|_| Err(error.clone().into())).collect(),
        }
    }

    async fn try_enqueue_loaded(
        &self,
        queue: &QueueName,
        call: Call,
        tasks: usize,
    ) -> Result<Vec<Result<(), EnqueueError>>, BrokerError> {
        let mut answer = Reader::new(self.run_storing(queue, call, DOING).await?, DOING)?;
        if answer.len() != tasks {
            return Err(BrokerError::protocol(DOING));
        }
        (0..tasks).map(|_| read_outcome(answer.value()?)).collect()
    }

    /// The task of a tick, by the same script.
    pub(super) async fn enqueue_ticked(&self, tick: &Tick, task: &NewTask) -> Result<Ticked, EnqueueError> {
        let queue = QueueName::stored(&task.message.queue);
        let mut call = self.enqueue_call(&queue);
        call.arg("t").arg(self.keyspace.queue(&queue).ticks()).arg(&tick.entry).arg(tick.at);
        EncodedTask::new(task).add_to(&mut call);
        let mut answer = Reader::new(self.run_storing(&queue, call, DOING).await?, DOING)?;
        match answer.value()? {
            Value::Int(2) => Ok(Ticked::Passed),
            other => read_outcome(other)?.map(|()| Ticked::Enqueued),
        }
    }

    /// A call that carries no task yet.
    pub(super) fn enqueue_call(&self, queue: &QueueName) -> Call {
        let keys = self.keyspace.queue(queue);
        let names: Vec<String> = std::iter::once(keys.pending()).chain(self.known_queues_key()).collect();
        let mut call = Call::new(Name::enqueue, names);
        call.arg(self.name_to_make_known(queue))
            .arg(keys.prefix())
            .arg(self.now_seconds())
            .arg(self.clock.unix_nanos());
        call
    }
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
    task: &'a NewTask,
    message: Vec<u8>,
}

impl<'a> EncodedTask<'a> {
    pub(super) fn new(task: &'a NewTask) -> Self {
        Self { task, message: task.message.encode() }
    }

    /// How many bytes it has, or nearly.
    pub(super) fn len(&self) -> usize {
        self.message.len()
    }

    /// Adds its arguments, as `insert.lua` reads them.
    pub(super) fn add_to(&self, call: &mut Call) {
        let NewTask { message, placement, unique_ttl, unique_until } = self.task;
        let lock = lock(message, *unique_ttl, *unique_until);
        let (kind, place) = match placement {
            Placement::Pending => (b'p', None),
            Placement::Scheduled(at) if message.group_key.is_empty() => (b's', Some(at.to_string())),
            Placement::Scheduled(at) => (b'd', Some(format!("{at}:{}", message.group_key))),
            Placement::Group => (b'g', Some(message.group_key.clone())),
        };
        let kind = if lock.is_some() { kind.to_ascii_uppercase() } else { kind };
        call.arg(&[kind][..]).arg(&message.id).arg(&self.message);
        if let Some(place) = place {
            call.arg(place);
        }
        if let Some((key, time)) = lock {
            call.arg(key).arg(time);
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
