//! [`World`]: a fixture and the short words in which the cases are written.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Corruption, Dump, Fixture};
use crate::broker::{
    Broker, Demand, EnqueueError, Exchanged, LEASE, LeaseRef, Leased, NewTask, Placement, QueueShare,
    RunToken, Settled, Settlement, Transition,
};
use crate::clock::Clock;
use crate::task::{QueueName, TaskId, TaskInfo, UniqueUntil};
use crate::wire::TaskMessage;
use crate::wire::keys::QueueKeys;

/// The server that leases in most cases.
pub(super) const SERVER: &str = "server-1";

/// The uniqueness lock that [`unique`] takes.
pub(super) const LOCK: &str = "asynq:{q}:unique:t:lock";

/// A fixture with one queue, `q`, in most cases the only one.
pub(super) struct World {
    pub(super) fixture: Arc<dyn Fixture>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) clock: Clock,
    pub(super) queue: QueueName,
    pub(super) keys: QueueKeys,
}

impl World {
    pub(super) fn new(fixture: Arc<dyn Fixture>) -> Self {
        let (broker, clock, queue) = (fixture.broker(), fixture.clock(), queue("q"));
        let keys = broker.keyspace().queue(&queue);
        Self { fixture, broker, clock, queue, keys }
    }

    /// Now in Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.clock.unix_seconds()
    }

    pub(super) async fn advance(&self, seconds: u64) {
        self.fixture.advance(Duration::from_secs(seconds)).await;
    }

    pub(super) async fn dump(&self) -> Dump {
        self.fixture.dump().await
    }

    pub(super) async fn corrupt(&self, corruption: Corruption) {
        self.fixture.corrupt(corruption).await;
    }

    pub(super) fn queue_keys(&self, queue: &QueueName) -> QueueKeys {
        self.broker.keyspace().queue(queue)
    }

    /// Enqueues one task.
    pub(super) async fn enqueue(&self, task: NewTask) -> Result<(), EnqueueError> {
        let mut results = self.broker.enqueue(&[task]).await;
        assert_eq!(results.len(), 1, "one result for one task");
        results.pop().expect("its length was checked")
    }

    /// Enqueues tasks that must be accepted.
    pub(super) async fn store(&self, tasks: &[NewTask]) {
        let results = self.broker.enqueue(tasks).await;
        assert_eq!(results.len(), tasks.len(), "one result for each task");
        for (task, result) in tasks.iter().zip(results) {
            assert!(result.is_ok(), "{} is refused: {result:?}", task.message.id);
        }
    }

    /// Enqueues pending tasks with these IDs, in this order.
    pub(super) async fn store_pending(&self, ids: &[&str]) {
        self.store(&ids.iter().map(|id| pending(id)).collect::<Vec<_>>()).await;
    }

    /// A demand of [`SERVER`] on `q`.
    pub(super) fn demand(&self, slots: usize) -> Demand {
        strict(slots, &[&self.queue])
    }

    pub(super) async fn exchange(&self, settle: &[Settlement], demand: &Demand) -> Exchanged {
        let exchanged = self.broker.exchange(settle, demand).await.expect("the store answers");
        assert_eq!(exchanged.settled.len(), settle.len(), "one answer for each settlement");
        assert!(exchanged.leased.len() <= demand.slots, "no more leased than asked for");
        exchanged
    }

    /// Leases this many tasks, which must be there; in several calls if a call gives fewer.
    pub(super) async fn lease(&self, count: usize) -> Vec<Leased> {
        let mut leased = Vec::new();
        while leased.len() < count {
            let more = self.exchange(&[], &self.demand(count - leased.len())).await.leased;
            assert!(!more.is_empty(), "only {} of {count} tasks to lease", leased.len());
            leased.extend(more);
        }
        leased
    }

    /// Leases the one next task.
    pub(super) async fn lease_one(&self) -> Leased {
        self.lease(1).await.pop().expect("its length was checked")
    }

    /// Enqueues a pending task and leases it.
    pub(super) async fn active(&self, id: &str) -> Leased {
        self.active_task(pending(id)).await
    }

    /// Enqueues this task and leases it; it must be the only pending one.
    pub(super) async fn active_task(&self, task: NewTask) -> Leased {
        self.store(std::slice::from_ref(&task)).await;
        let leased = self.lease_one().await;
        assert_eq!(leased.id, task.message.id.as_str());
        leased
    }

    /// Makes an active task look as if a Go worker had leased it.
    pub(super) async fn lease_as_go(&self, leased: &Leased) {
        for field in ["x_own", "x_run"] {
            self.corrupt(Corruption::RemoveField {
                queue: leased.queue.clone(),
                id: leased.id.clone(),
                field: field.to_owned(),
            })
            .await;
        }
    }

    pub(super) async fn set_field(&self, id: &str, field: &str, value: &'static [u8]) {
        self.corrupt(Corruption::SetField {
            queue: self.queue.clone(),
            id: task_id(id),
            field: field.to_owned(),
            value: Bytes::from_static(value),
        })
        .await;
    }

    pub(super) async fn delete_task(&self, id: &str) {
        self.corrupt(Corruption::DeleteTask { queue: self.queue.clone(), id: task_id(id) }).await;
    }

    pub(super) async fn set_lease(&self, id: &str, until: i64) {
        self.corrupt(Corruption::SetLease { queue: self.queue.clone(), id: task_id(id), until }).await;
    }

    pub(super) async fn remove_lease(&self, id: &str) {
        self.corrupt(Corruption::RemoveLease { queue: self.queue.clone(), id: task_id(id) }).await;
    }

    /// Settles one run.
    pub(super) async fn settle(&self, settlement: Settlement) -> Settled {
        let settled = self.exchange(&[settlement], &Demand::none()).await.settled;
        settled.first().copied().expect("its length was checked")
    }

    /// Settles a run that must still hold its task.
    pub(super) async fn apply(&self, leased: &Leased, transition: Transition) {
        let settled = self.settle(settlement(leased, transition)).await;
        assert_eq!(settled, Settled::Applied, "{}", leased.id);
    }

    /// Settles a run that must be refused, and leave everything as it was.
    pub(super) async fn refuse(&self, settlement: Settlement, why: &str) {
        let before = self.dump().await;
        assert_eq!(self.settle(settlement).await, Settled::Refused, "{why}");
        self.dump().await.assert_same(&before, why);
    }

    pub(super) async fn info(&self, id: &str) -> Option<TaskInfo> {
        self.broker.task_info(&self.queue, &task_id(id)).await.expect("the task can be read")
    }

    /// The processed and failed counters of `q`: today's and those since ever.
    pub(super) fn counters(&self, dump: &Dump) -> [Option<String>; 4] {
        let today = self.clock.now();
        [
            self.keys.processed(today),
            self.keys.processed_total(),
            self.keys.failed(today),
            self.keys.failed_total(),
        ]
        .map(|key| dump.string(&key))
    }
}

pub(super) fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("a name that is not blank")
}

pub(super) fn task_id(id: &str) -> TaskId {
    TaskId::new(id).expect("an ID that is not blank")
}

/// A message for `q`.
pub(super) fn message(id: &str) -> TaskMessage {
    TaskMessage {
        task_type: "t".to_owned(),
        payload: Bytes::from(format!("payload of {id}")),
        id: id.to_owned(),
        queue: "q".to_owned(),
        retry: 25,
        timeout: 1800,
        ..TaskMessage::default()
    }
}

/// A pending task for `q`.
pub(super) fn pending(id: &str) -> NewTask {
    NewTask {
        message: message(id),
        placement: Placement::Pending,
        unique_ttl: 0,
        unique_until: UniqueUntil::Success,
    }
}

/// A pending task for another queue.
pub(super) fn pending_in(queue: &str, id: &str) -> NewTask {
    NewTask { message: TaskMessage { queue: queue.to_owned(), ..message(id) }, ..pending(id) }
}

/// A task for `q` that is due at this Unix second.
pub(super) fn scheduled(id: &str, at: i64) -> NewTask {
    NewTask { placement: Placement::Scheduled(at), ..pending(id) }
}

/// A task for group `g` of `q`.
pub(super) fn grouped(id: &str) -> NewTask {
    NewTask {
        message: TaskMessage { group_key: "g".to_owned(), ..message(id) },
        placement: Placement::Group,
        ..pending(id)
    }
}

/// The same task, but it takes [`LOCK`] for this many seconds.
pub(super) fn unique(task: NewTask, ttl: i64) -> NewTask {
    NewTask { message: TaskMessage { unique_key: LOCK.to_owned(), ..task.message }, unique_ttl: ttl, ..task }
}

/// A demand of [`SERVER`] that empties these queues in order.
pub(super) fn strict(slots: usize, queues: &[&QueueName]) -> Demand {
    let queues = queues.iter().map(|queue| QueueShare::new((*queue).clone(), 1)).collect();
    Demand { server_id: SERVER.to_owned(), slots, queues, strict: true, ..Demand::none() }
}

/// The end of a run by the one who leased it.
pub(super) fn settlement(leased: &Leased, transition: Transition) -> Settlement {
    Settlement {
        queue: leased.queue.clone(),
        id: leased.id.clone(),
        run: Some(leased.run.clone()),
        lease_until: leased.lease_until,
        transition,
    }
}

/// Success of a task without a lock.
pub(super) fn done() -> Transition {
    Transition::Done { unique_key: String::new() }
}

pub(super) fn requeue() -> Transition {
    Transition::Requeue { crashed: false }
}

/// The message after a failed attempt.
pub(super) fn failed(leased: &Leased) -> TaskMessage {
    let message = leased.message.clone().expect("a readable message");
    TaskMessage { retried: message.retried + 1, error_msg: "it broke".to_owned(), ..message }
}

pub(super) fn lease_ref(leased: &Leased) -> LeaseRef {
    LeaseRef { id: leased.id.clone(), run: leased.run.clone() }
}

/// A token that no run has.
pub(super) fn foreign_run() -> RunToken {
    RunToken::stored("0123456789abcdef-foreign")
}

/// How long a lease lasts, in seconds.
pub(super) fn lease_seconds() -> i64 {
    i64::try_from(LEASE.as_secs()).expect("a short lease")
}

/// The IDs in the order they were taken.
pub(super) fn ids(leased: &[Leased]) -> Vec<&str> {
    leased.iter().map(|leased| leased.id.as_str()).collect()
}

/// A field of a hash as text; empty when it is absent.
pub(super) fn field<'a>(hash: &'a std::collections::BTreeMap<String, Bytes>, name: &str) -> Option<&'a str> {
    hash.get(name).map(|bytes| std::str::from_utf8(bytes).expect("a text field"))
}
