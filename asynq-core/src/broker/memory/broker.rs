//! [`MemoryBroker`]: the [`Broker`] trait on a [`Store`] behind one lock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Notify, broadcast};

use super::store::{Moment, ServerKeys, Store};
use super::waiter::{MemoryMessages, MemoryWaiter};
use crate::broker::{
    ActiveTask, ArchiveLimits, Broker, BrokerError, BrokerErrorKind, Demand, EnqueueError, Exchanged,
    Forwarded, LeaseRef, Messages, NewTask, OwnerBeat, Place, Placement, Settled, Settlement, Transition,
    Waiter,
};
use crate::clock::Clock;
use crate::task::{QueueName, TaskId, TaskInfo};
use crate::wire::keys::Keyspace;
use crate::wire::{ServerInfo, WorkerInfo};

/// How many messages a slow listener can fall behind.
const BACKLOG: usize = 1_024;

/// A broker inside this process. Cheap to clone; clones share one store, which ends with the last of them.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use asynq_core::broker::{Broker, MemoryBroker};
/// use asynq_core::client::Client;
/// use asynq_core::clock::Clock;
/// use asynq_core::task::{QueueName, Task, TaskState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let broker = MemoryBroker::new(Clock::system());
/// let client = Client::new(Arc::new(broker.clone()));
/// let sent = client.enqueue(Task::new("email:send", "{}")?).await?;
///
/// let stored = broker.task_info(&QueueName::default(), &sent.id).await?;
/// assert_eq!(stored.map(|task| task.state), Some(TaskState::Pending));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryBroker {
    clock: Clock,
    keyspace: Keyspace,
    pub(super) archive_limits: ArchiveLimits,
    pub(super) shared: Arc<Shared>,
}

/// What the clones of a broker and its waiters share.
pub(super) struct Shared {
    /// The store's own clock.
    pub(super) clock: Clock,
    store: Mutex<Store>,
    /// Told whenever something may have become pending, after the store has it.
    pub(super) ready: Notify,
    cancellations: broadcast::Sender<String>,
    /// Keys of tasks that somebody waits for, and of which a run has ended.
    pub(super) run_ends: broadcast::Sender<String>,
    #[cfg(test)]
    away: std::sync::atomic::AtomicBool,
}

impl Shared {
    /// The store. Never hold it across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        // Nothing panics while it holds the lock; if something did, the store is still the best there is.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryBroker {
    /// An empty broker that takes the time from this clock.
    pub fn new(clock: Clock) -> Self {
        let shared = Shared {
            clock: clock.clone(),
            store: Mutex::default(),
            ready: Notify::new(),
            cancellations: broadcast::Sender::new(BACKLOG),
            run_ends: broadcast::Sender::new(BACKLOG),
            #[cfg(test)]
            away: std::sync::atomic::AtomicBool::new(false),
        };
        Self {
            clock,
            keyspace: Keyspace::default(),
            archive_limits: ArchiveLimits::default(),
            shared: Arc::new(shared),
        }
    }

    /// The same store as a process sees it whose clock is another one: as it is with machines whose clocks differ.
    #[must_use]
    pub fn with_clock(&self, clock: Clock) -> Self {
        Self { clock, ..self.clone() }
    }

    /// Lets schedulers find the store away, or back again.
    #[cfg(test)]
    pub(crate) fn set_away(&self, away: bool) {
        self.shared.away.store(away, std::sync::atomic::Ordering::SeqCst);
    }

    /// Whether the store answers schedulers.
    #[cfg(test)]
    pub(super) fn answer(&self) -> Result<(), BrokerError> {
        if self.shared.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(BrokerError::new(
                BrokerErrorKind::Unavailable,
                "answer",
                std::io::Error::other("away"),
            ));
        }
        Ok(())
    }

    /// What the clones share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn now(&self) -> Moment {
        Moment::now(&self.clock)
    }

    pub(super) fn wake(&self, became_ready: bool) {
        if became_ready {
            self.shared.ready.notify_waiters();
        }
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBroker").field("clock", &self.clock).finish_non_exhaustive()
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    fn with_archive_limits(&self, limits: ArchiveLimits) -> Arc<dyn Broker> {
        Arc::new(Self { archive_limits: limits, ..self.clone() })
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn enqueue(&self, tasks: &[NewTask]) -> Vec<Result<(), EnqueueError>> {
        let now = self.now();
        let results = {
            let mut store = self.shared.lock();
            tasks.iter().map(|task| store.enqueue(task, now)).collect::<Vec<_>>()
        };
        let ready = |(task, result): (&NewTask, &Result<_, _>)| {
            task.placement == Placement::Pending && result.is_ok()
        };
        self.wake(tasks.iter().zip(&results).any(ready));
        results
    }

    async fn exchange(&self, settle: &[Settlement], demand: &Demand) -> Result<Exchanged, BrokerError> {
        let (exchanged, ended) = {
            let mut store = self.shared.lock();
            let exchanged = store.exchange(settle, demand, self.now(), &self.archive_limits);
            (exchanged, store.take_ended(settle))
        };
        for (queue, ended) in ended {
            self.publish_ends(queue, ended);
        }
        let requeued = |(settlement, settled): (&Settlement, &Settled)| {
            *settled == Settled::Applied && matches!(settlement.transition, Transition::Requeue { .. })
        };
        self.wake(settle.iter().zip(&exchanged.settled).any(requeued));
        Ok(exchanged)
    }

    fn waiter(&self, queues: &[QueueName]) -> Box<dyn Waiter> {
        Box::new(MemoryWaiter::new(Arc::clone(&self.shared), queues))
    }

    async fn extend_leases(
        &self,
        queue: &QueueName,
        runs: &[LeaseRef],
        until: i64,
    ) -> Result<Vec<bool>, BrokerError> {
        let mut store = self.shared.lock();
        Ok(match store.queues.get_mut(queue) {
            Some(queue) => runs.iter().map(|lease| queue.extend_lease(lease, until)).collect(),
            None => vec![false; runs.len()],
        })
    }

    async fn occupied(&self, place: Place, queues: &[QueueName]) -> Result<Vec<QueueName>, BrokerError> {
        let store = self.shared.lock();
        let is_occupied = |name: &QueueName| store.queues.get(name).is_some_and(|queue| queue.has(place));
        Ok(queues.iter().filter(|name| is_occupied(name)).cloned().collect())
    }

    async fn forward(&self, queue: &QueueName) -> Result<Forwarded, BrokerError> {
        let now = self.now();
        let forwarded =
            self.shared.lock().queues.get_mut(queue).map(|queue| queue.forward(now)).unwrap_or_default();
        self.wake(forwarded.moved > 0);
        Ok(forwarded)
    }

    async fn beat(&self, server_id: &str, queues: &[QueueName]) -> Result<(), BrokerError> {
        let now = self.now();
        let mut store = self.shared.lock();
        for queue in queues {
            store.beat(server_id, queue, now);
        }
        Ok(())
    }

    async fn beats(&self, queues: &[QueueName]) -> Result<Vec<Vec<OwnerBeat>>, BrokerError> {
        let store = self.shared.lock();
        let beats = |name| store.queues.get(name).map(super::queue::Queue::beats).unwrap_or_default();
        Ok(queues.iter().map(beats).collect())
    }

    async fn retire(&self, server_ids: &[&str], queues: &[QueueName]) -> Result<(), BrokerError> {
        let mut store = self.shared.lock();
        for queue in queues {
            if let Some(queue) = store.queues.get_mut(queue) {
                for server_id in server_ids {
                    queue.owners.remove(server_id);
                }
            }
        }
        Ok(())
    }

    async fn expiring_leases(
        &self,
        queue: &QueueName,
        until: i64,
        limit: usize,
    ) -> Result<Vec<ActiveTask>, BrokerError> {
        let store = self.shared.lock();
        Ok(store.queues.get(queue).map(|queue| queue.expiring(until, limit)).unwrap_or_default())
    }

    async fn owned_by(
        &self,
        queue: &QueueName,
        server_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ActiveTask>, usize), BrokerError> {
        let store = self.shared.lock();
        let owned = store.queues.get(queue).map(|queue| queue.owned_by(server_id, offset, limit));
        Ok(owned.unwrap_or_default())
    }

    async fn mend_active(
        &self,
        queue: &QueueName,
        offset: usize,
        limit: usize,
    ) -> Result<(usize, usize), BrokerError> {
        let now = self.now();
        let mut store = self.shared.lock();
        let mended = store.queues.get_mut(queue).map(|queue| queue.mend_active(offset, limit, now));
        Ok(mended.unwrap_or_default())
    }

    async fn write_result(
        &self,
        queue: &QueueName,
        id: &TaskId,
        result: &Bytes,
    ) -> Result<bool, BrokerError> {
        let mut store = self.shared.lock();
        Ok(store.queues.get_mut(queue).is_some_and(|queue| queue.write_result(id, result)))
    }

    async fn delete_expired_completed(&self, queue: &QueueName, limit: usize) -> Result<usize, BrokerError> {
        let now = self.now();
        let mut store = self.shared.lock();
        // The janitor calls this now and then: the time to clear away what Redis would expire by itself.
        store.drop_expired(now);
        Ok(store.queues.get_mut(queue).map_or(0, |queue| queue.delete_expired_completed(limit, now)))
    }

    async fn delete_expired_archived(&self, queue: &QueueName, limit: usize) -> Result<usize, BrokerError> {
        let cutoff = self.archive_limits.cutoff(self.now().seconds);
        let mut store = self.shared.lock();
        Ok(store.queues.get_mut(queue).map_or(0, |queue| queue.drop_archived(cutoff, limit)))
    }

    async fn write_server_state(
        &self,
        info: &ServerInfo,
        workers: &[WorkerInfo],
        ttl: Duration,
    ) -> Result<(), BrokerError> {
        let keys = ServerKeys::new(&self.keyspace, info);
        // Redis knows no shorter expiry in whole seconds.
        let ttl_seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).max(1);
        self.shared.lock().write_server(keys, info, workers, ttl_seconds, self.now());
        Ok(())
    }

    async fn clear_server_state(&self, info: &ServerInfo) -> Result<(), BrokerError> {
        self.shared.lock().clear_server(&ServerKeys::new(&self.keyspace, info));
        Ok(())
    }

    async fn publish_cancellation(&self, id: &TaskId) -> Result<(), BrokerError> {
        // An error says that nobody listens, which is no failure of the request.
        drop(self.shared.cancellations.send(id.as_str().to_owned()));
        Ok(())
    }

    async fn cancellations(&self) -> Result<Box<dyn Messages>, BrokerError> {
        Ok(Box::new(MemoryMessages::new(self.shared.cancellations.subscribe())))
    }

    async fn pause(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        let since = self.now().seconds;
        let mut store = self.shared.lock();
        let paused_since = &mut store.queue_or_new(queue).paused_since;
        let was_running = paused_since.is_none();
        paused_since.get_or_insert(since);
        Ok(was_running)
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        let mut store = self.shared.lock();
        Ok(store.queues.get_mut(queue).is_some_and(|queue| queue.paused_since.take().is_some()))
    }

    async fn task_info(&self, queue: &QueueName, id: &TaskId) -> Result<Option<TaskInfo>, BrokerError> {
        let now = self.now();
        let snapshot = self.shared.lock().queues.get(queue).and_then(|queue| queue.snapshot(id));
        snapshot
            .map(|snapshot| snapshot.into_info(queue, id, now.seconds))
            .transpose()
            .map_err(|error| BrokerError::new(BrokerErrorKind::Protocol, "task_info", error))
    }
}
