//! The enqueue script's call and its answer.

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
            let queue = QueueName::stored(&task.message.queue);
            return self.enqueue_in(&queue, &[task]).await;
        }
        let mut queues: Vec<(QueueName, Vec<usize>)> = Vec::new();
        for (at, task) in tasks.iter().enumerate() {
            match queues.iter_mut().find(|(queue, _)| *queue == task.message.queue.as_str()) {
                Some((_, places)) => places.push(at),
                None => queues.push((QueueName::stored(&task.message.queue), vec![at])),
            }
        }
        let calls = queues.iter().map(|(queue, places)| async move {
            let group: Vec<&NewTask> = places.iter().filter_map(|&at| tasks.get(at)).collect();
            self.enqueue_in(queue, &group).await
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
    async fn enqueue_in(&self, queue: &QueueName, tasks: &[&NewTask]) -> Vec<Result<(), EnqueueError>> {
        match self.try_enqueue_in(queue, tasks).await {
            Ok(results) => results,
            Err(error) => tasks.iter().map(|_| Err(error.clone().into())).collect(),
        }
    }

    async fn try_enqueue_in(
        &self,
        queue: &QueueName,
        tasks: &[&NewTask],
    ) -> Result<Vec<Result<(), EnqueueError>>, BrokerError> {
        let mut answer =
            Reader::new(self.run_storing(queue, self.enqueue_call(queue, tasks), DOING).await?, DOING)?;
        if answer.len() != tasks.len() {
            return Err(BrokerError::protocol(DOING));
        }
        tasks.iter().map(|_| read_outcome(answer.value()?)).collect()
    }

    /// The task of a tick, by the same script.
    pub(super) async fn enqueue_ticked(&self, tick: &Tick, task: &NewTask) -> Result<Ticked, EnqueueError> {
        let queue = QueueName::stored(&task.message.queue);
        let mut call = self.enqueue_call(&queue, &[task]);
        call.arg(self.keyspace.queue(&queue).ticks()).arg(&tick.entry).arg(tick.at);
        let mut answer = Reader::new(self.run_storing(&queue, call, DOING).await?, DOING)?;
        match answer.value()? {
            Value::Int(2) => Ok(Ticked::Passed),
            other => read_outcome(other)?.map(|()| Ticked::Enqueued),
        }
    }

    fn enqueue_call(&self, queue: &QueueName, tasks: &[&NewTask]) -> Call {
        let keys = self.keyspace.queue(queue);
        let names = [keys.pending(), keys.scheduled(), keys.groups()].into_iter();
        let names: Vec<String> = names.chain(self.known_queues_key()).collect();
        let mut call = Call::new(Name::enqueue, names);
        call.arg(self.name_to_make_known(queue))
            .arg(keys.task_prefix())
            .arg(keys.group_prefix())
            .arg(self.now_seconds())
            .arg(self.clock.unix_nanos());
        for task in tasks {
            add_task(&mut call, task);
        }
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

/// The arguments of one new task, as `insert.lua` reads them.
pub(super) fn add_task(call: &mut Call, task: &NewTask) {
    let NewTask { message, placement, unique_ttl, unique_until } = task;
    let (kind, place) = match placement {
        Placement::Pending => ("p", String::new()),
        Placement::Scheduled(at) if message.group_key.is_empty() => ("s", at.to_string()),
        Placement::Scheduled(at) => ("d", format!("{at}:{}", message.group_key)),
        Placement::Group => ("g", message.group_key.clone()),
    };
    call.arg(kind).arg(&message.id).arg(message.encode());
    add_lock(call, message, *unique_ttl, *unique_until);
    call.arg(place);
}

/// The key and the time of the lock of a new task, as `lock.lua` reads them; both empty when it takes none.
pub(super) fn add_lock(call: &mut Call, message: &TaskMessage, ttl: i64, until: UniqueUntil) {
    if ttl <= 0 || message.unique_key.is_empty() {
        call.arg("").arg("");
        return;
    }
    call.arg(&message.unique_key);
    let ttl = ttl.min(LONGEST_TTL);
    match until {
        UniqueUntil::Success => call.arg(ttl),
        UniqueUntil::Start | UniqueUntil::Ttl => call.arg(format!("{ttl}:{}", until.as_str())),
    };
}
