//! [`FrozenWorker`]: a worker that stands still with tasks in its hands.

use std::fmt;

use super::run::done;
use super::{Report, Rig};
use crate::server::{Stepper, Taken};

/// A worker that took tasks and then stands still, as a process does whose machine sleeps: it neither works nor keeps
/// its leases. Once the clock is moved by some seconds others take its tasks over. Dropping it is its death.
#[must_use = "dropped, the worker is dead"]
pub struct FrozenWorker<'rig> {
    rig: &'rig Rig,
    worker: Stepper,
    taken: Taken,
}

impl fmt::Debug for FrozenWorker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrozenWorker").finish_non_exhaustive()
    }
}

impl Rig {
    /// Lets the worker take what it has slots for (one task, unless [`server`](Self::server) set another concurrency),
    /// and stand still before it runs any of it. Another worker goes on in its place.
    ///
    /// # Panics
    ///
    /// As [`drain`](Self::drain).
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the worker is dead or has not taken anything.
    pub async fn freeze_worker(&self) -> FrozenWorker<'_> {
        let mut engine = self.engine.lock().await;
        engine.chores(self).await;
        let worker = engine.worker(self).await;
        let successor = worker.successor();
        let mut frozen = std::mem::replace(worker, successor);
        let taken = frozen.take().await;
        FrozenWorker { rig: self, worker: frozen, taken }
    }
}

impl FrozenWorker<'_> {
    /// Wakes the worker: it runs what it holds to the end, and ends. Where another one has taken a task over, what this
    /// one makes of it is [refused](Report::refused): the handler has run twice, and the task is settled once.
    ///
    /// # Panics
    ///
    /// As [`Rig::drain`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is the worker's death.
    pub async fn thaw(mut self) -> Report {
        let mut runs = Vec::new();
        done(self.worker.resume(self.taken, self.rig.crash(), &mut runs).await);
        runs.into_iter().map(|run| self.rig.attempt(run)).collect()
    }
}
