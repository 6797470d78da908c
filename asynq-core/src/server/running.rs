//! [`Running`]: the tasks that this server holds, shared by all its loops.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::broker::{LeaseRef, RunToken, Settlement, Transition};
use crate::task::{QueueName, TaskId};
use crate::wire::TaskMessage;

/// A task is known by its queue and its ID: IDs are unique in their queue only.
pub(super) type Key = (QueueName, TaskId);

/// How late a handler that was told to stop counts as one that does not.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// Without the random keys of the usual one, which would put tasks in another order in every run of a simulation. The
/// table is never larger than what the server may hold: chosen IDs cannot make it slow.
pub(super) type Table = HashMap<Key, Held, BuildHasherDefault<DefaultHasher>>;

/// The tasks that this server holds: leased, and not yet known to be settled.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(Arc<Mutex<Table>>);

/// A task that this server holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) run: RunToken,
    /// The latest end of lease that was ever asked for this run, Unix seconds. Raised *before* an extension is
    /// sent, so that a settlement that overtakes the answer is not taken for somebody else's.
    pub(super) lease_until: i64,
    pub(super) message: Arc<TaskMessage>,
    pub(super) started: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) cancellation: CancellationToken,
    /// When somebody asked to cancel it.
    pub(super) cancelled: Option<Timestamp>,
    /// Whether the log has it that it should have ended.
    pub(super) is_told_overdue: bool,
    pub(super) phase: Phase,
}

impl Held {
    /// Whether its handler runs.
    pub(super) fn runs(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Whether its handler runs, or will.
    pub(super) fn is_to_run(&self) -> bool {
        matches!(self.phase, Phase::Waiting | Phase::Running)
    }

    /// Its task goes back to the front of its queue, as it was.
    pub(super) fn requeued(&self, (queue, id): Key) -> Settlement {
        Settlement {
            queue,
            id,
            run: Some(self.run.clone()),
            lease_until: self.lease_until,
            transition: Transition::Requeue { crashed: false },
        }
    }

    /// Whether its handler should have ended, with this grace after a cancellation: it was told to stop, and would have
    /// been dropped by now if it did not block its thread.
    pub(super) fn is_overdue(&self, now: Timestamp, grace: Duration) -> bool {
        let cancelled = self.cancelled.and_then(|at| at.saturating_add(grace).ok());
        let end = cancelled.map_or(self.deadline, |end| end.min(self.deadline));
        self.runs() && now.duration_since(end) > OVERDUE_AFTER
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It was taken ahead, and begins when a slot is free.
    Waiting,
    /// Its handler runs.
    Running,
    /// Its handler has ended; the settlement could not be written so far. Its lease is still extended.
    Unsettled,
    /// Its settlement is on its way: an extension now could arrive first and make it look stale.
    Settling,
}

/// What is held of a task, if it is this run that holds it: a server that has lost a task may run it again while it still
/// has the outcome of the earlier run.
pub(super) fn held_by<'a>(table: &'a mut Table, key: &Key, run: Option<&RunToken>) -> Option<&'a mut Held> {
    table.get_mut(key).filter(|held| run == Some(&held.run))
}

impl Running {
    pub(super) fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks every run of a task with this ID to stop: how many there were.
    pub(super) fn cancel(&self, id: &str, now: Timestamp) -> usize {
        let mut table = self.lock();
        let held = table.iter_mut().filter(|((_, held_id), _)| held_id == id);
        held.map(|(_, held)| {
            held.cancelled.get_or_insert(now);
            held.cancellation.cancel();
        })
        .count()
    }

    /// Asks every task to stop.
    pub(super) fn cancel_all(&self) {
        self.lock().values().for_each(|held| held.cancellation.cancel());
    }

    /// The runs whose leases are to be extended to `until`, by queue.
    pub(super) fn to_extend(&self, until: i64) -> BTreeMap<QueueName, Vec<LeaseRef>> {
        let mut by_queue: BTreeMap<QueueName, Vec<LeaseRef>> = BTreeMap::new();
        for ((queue, id), held) in self.lock().iter_mut().filter(|(_, held)| held.phase != Phase::Settling) {
            held.lease_until = held.lease_until.max(until);
            by_queue
                .entry(queue.clone())
                .or_default()
                .push(LeaseRef { id: id.clone(), run: held.run.clone() });
        }
        by_queue
    }

    /// A run lost its task to another one: its handler is told, and what it does no longer counts. One that waits does
    /// not begin.
    pub(super) fn lost(&self, queue: &QueueName, lost: &LeaseRef) -> bool {
        let table = self.lock();
        match table.get(&(queue.clone(), lost.id.clone())) {
            Some(held) if held.run == lost.run && held.is_to_run() => {
                held.cancellation.cancel();
                true
            }
            _ => false,
        }
    }

    /// The queues that held tasks came from.
    pub(super) fn queues(&self) -> BTreeSet<QueueName> {
        self.lock().keys().map(|(queue, _)| queue.clone()).collect()
    }

    pub(super) fn holds(&self, queue: &QueueName, id: &TaskId) -> bool {
        self.lock().contains_key(&(queue.clone(), id.clone()))
    }
}
