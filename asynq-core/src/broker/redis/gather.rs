//! [`Gathering`]: new tasks that many callers enqueue at the same time travel in one call of the script.
//!
//! A caller who is alone sends at once. Where others are on their way, a caller lets those who can run do so first, and
//! whoever comes to the same queue in the meantime goes along. Nobody waits for a clock, nor for an answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::task::yield_now;

use super::RedisBroker;
use super::enqueue::{EncodedTask, Outcomes};
use super::places::Places;
use crate::broker::{BrokerError, EnqueueError, NewTask};
use crate::task::QueueName;

/// So many tasks go in one call at most: more would gain nothing.
const MOST_TASKS: usize = 64;
/// And so many bytes of them, unless one has more by itself.
const MOST_BYTES: usize = 256 * 1024;

const DOING: &str = "enqueue";

/// Who is on the way, and what has not left yet.
pub(super) struct Gathering {
    /// How many callers may wait for an answer.
    places: Places,
    waiting: Mutex<HashMap<QueueName, Open>>,
    /// Calls that have no answer yet.
    calls: AtomicUsize,
    /// How many tasks the latest call has taken along.
    crowd: AtomicUsize,
}

/// A call that further tasks can join.
struct Open {
    batch: Arc<Batch>,
    outcomes: WeakShared<BoxFuture<'static, Outcomes>>,
}

/// What a call carries, until it leaves.
struct Batch(Mutex<Option<Load>>);

struct Load {
    tasks: Vec<EncodedTask<'static>>,
    bytes: usize,
}

/// Counts a call as long as it has no answer.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gathering {
    pub(super) fn new(max_waiting: usize) -> Self {
        Self {
            places: Places::new(max_waiting),
            waiting: Mutex::default(),
            calls: AtomicUsize::new(0),
            crowd: AtomicUsize::new(0),
        }
    }

    /// Whether nobody else is on the way, nor was when the latest call left: then the caller is, as long as it has this.
    fn alone(&self) -> Option<UnderWay<'_>> {
        let is_crowded = self.crowd.load(Ordering::Relaxed) > 1;
        let is_first = || self.calls.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // Made only where it counts: what is dropped is counted out.
        (!is_crowded && is_first()).then(|| UnderWay(&self.calls))
    }

    fn under_way(&self) -> UnderWay<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.calls)
    }
}

impl RedisBroker {
    /// Stores a new task, in one call with others that come at the same time.
    pub(super) async fn enqueue_with_others(&self, task: &NewTask) -> Result<(), EnqueueError> {
        let queue = QueueName::stored(&task.message.queue);
        let gathering = &self.gathering;
        let _place = gathering.places.take(DOING)?;
        if let Some(_under_way) = gathering.alone() {
            let outcome = self.enqueue_encoded(&queue, &[EncodedTask::new(task)]).await.pop();
            return outcome.unwrap_or(Err(BrokerError::protocol(DOING).into()));
        }
        let (outcomes, at) = self.join(&queue, EncodedTask::new(task));
        yield_now().await;
        match outcomes.await.get(at) {
            Some(outcome) => outcome.clone(),
            None => Err(BrokerError::protocol(DOING).into()),
        }
    }

    /// Joins a call that has not left, or opens one: its outcomes, and which of them is this task's.
    fn join(
        &self,
        queue: &QueueName,
        task: EncodedTask<'_>,
    ) -> (Shared<BoxFuture<'static, Outcomes>>, usize) {
        let bytes = task.len();
        let mut waiting = lock(&self.gathering.waiting);
        if let Some(Open { batch, outcomes }) = waiting.get(queue)
            && let Some(outcomes) = outcomes.upgrade()
            && let Some(load) = lock(&batch.0).as_mut().filter(|load| load.has_room_for(bytes))
        {
            load.bytes += bytes;
            load.tasks.push(task.into_owned());
            return (outcomes, load.tasks.len() - 1);
        }
        let mut tasks = Vec::with_capacity(16);
        tasks.push(task.into_owned());
        let batch = Arc::new(Batch(Mutex::new(Some(Load { tasks, bytes }))));
        let leaves = self.clone().leave(queue.clone(), Arc::clone(&batch));
        let outcomes = leaves.boxed().shared();
        // There is nothing to downgrade to once it has ended, which it has not.
        if let Some(weak) = outcomes.downgrade() {
            waiting.insert(queue.clone(), Open { batch, outcomes: weak });
        }
        (outcomes, 0)
    }

    /// Sends what has gathered.
    async fn leave(self, queue: QueueName, batch: Arc<Batch>) -> Outcomes {
        {
            let mut waiting = lock(&self.gathering.waiting);
            if waiting.get(&queue).is_some_and(|open| Arc::ptr_eq(&open.batch, &batch)) {
                waiting.remove(&queue);
            }
        }
        let Some(Load { tasks, .. }) = lock(&batch.0).take() else { return Arc::default() };
        self.gathering.crowd.store(tasks.len(), Ordering::Relaxed);
        let _under_way = self.gathering.under_way();
        self.enqueue_encoded(&queue, &tasks).await.into()
    }
}

impl Load {
    /// Whether a task of so many bytes may go along.
    fn has_room_for(&self, bytes: usize) -> bool {
        self.tasks.len() < MOST_TASKS && self.bytes.saturating_add(bytes) <= MOST_BYTES
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_in_and_out() {
        let gathering = Gathering::new(10);
        let calls = || gathering.calls.load(Ordering::Relaxed);
        let first = gathering.alone().unwrap();
        assert!(gathering.alone().is_none() && gathering.alone().is_none());
        assert_eq!(calls(), 1, "who is not alone counts for nothing");
        let second = gathering.under_way();
        assert_eq!(calls(), 2);
        drop((first, second));
        assert_eq!(calls(), 0);
        gathering.crowd.store(2, Ordering::Relaxed);
        assert!(gathering.alone().is_none(), "the latest call had several tasks");
        assert_eq!(calls(), 0);
    }
}
