//! [`Engine`]: the worker of a rig, and what drives it: [`Rig::drain`], [`Rig::advance`], [`Rig::perform`].
#![expect(clippy::panic, reason = "a test that cannot be run fails")]

use std::future::Future;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::report::{Attempt, Report};
use super::{Rig, TestCtx, WorkerDied};
use crate::error::Result;
use crate::job::Job;
use crate::router::{BoxError, HandlerResult};
use crate::server::{Run, ServerBuilder, Stepper};

/// Runs without any time passing after which a rig gives up: something enqueues itself forever.
const MOST_RUNS: usize = 10_000;

/// The worker of a rig, made when it is first needed.
pub(super) struct Engine {
    builder: Option<ServerBuilder>,
    pub(super) worker: Option<Stepper>,
    random: Rng,
    pub(super) most_runs: usize,
    /// The rig's clock and this instant began together.
    started: Option<(Timestamp, Instant)>,
}

impl Engine {
    pub(super) fn new(builder: ServerBuilder) -> Self {
        Self {
            builder: Some(builder),
            worker: None,
            random: Rng::with_seed(0),
            most_runs: MOST_RUNS,
            started: None,
        }
    }

    pub(super) fn set_up(&mut self, set_up: impl FnOnce(ServerBuilder) -> ServerBuilder) {
        self.builder = self.builder.take().map(set_up);
    }

    pub(super) fn seed(&mut self, seed: u64) {
        self.random = Rng::with_seed(seed);
    }

    /// The worker, which takes from all queues that are known by now.
    pub(super) async fn worker(&mut self, rig: &Rig) -> &mut Stepper {
        if let Some(builder) = self.builder.take() {
            let faults = rig.faults.layer();
            match Stepper::new(builder, move |router| router.layer(&faults)).await {
                Ok(worker) => self.worker = Some(worker),
                Err(error) => panic!("the rig's worker cannot start: {error:?}"),
            }
        }
        // Each step has a seed of its own: another rig on this thread may have used the generator since.
        fastrand::seed(self.random.u64(..));
        let Some(worker) = &mut self.worker else { panic!("the rig's worker could not start before") };
        done(worker.serve(rig.broker.queue_names()));
        worker
    }

    /// What loops do beside the worker, at the rig's time.
    pub(super) async fn chores(&mut self, rig: &Rig) -> Option<Timestamp> {
        let now = self.instant(rig.now());
        done(self.worker(rig).await.chores(now).await)
    }

    /// The rig's time as an instant.
    fn instant(&mut self, now: Timestamp) -> Instant {
        let (start, instant) = *self.started.get_or_insert_with(|| (now, Instant::now()));
        instant + Duration::try_from(now.duration_since(start)).unwrap_or_default()
    }

    /// Runs everything that is due now; when something is due next.
    async fn run_due(&mut self, rig: &Rig, report: &mut Report) -> Option<Timestamp> {
        let most = self.most_runs;
        let give_up_at = report.len().saturating_add(most);
        loop {
            let next_due = self.chores(rig).await;
            let worker = self.worker(rig).await;
            let mut runs = Vec::new();
            let lives = done(worker.run(most, rig.faults.crashed(), &mut runs).await);
            if !lives {
                *worker = worker.successor();
            }
            let ran = !runs.is_empty();
            report.extend(runs.into_iter().map(|run| rig.attempt(run)));
            assert!(
                report.len() < give_up_at,
                "{most} tasks ran and no time has passed: does a job enqueue itself at once? If not, set `most_runs`.\n{}",
                report.last(5)
            );
            // What ran may have made something due, in a second or at once.
            if !ran && lives {
                return next_due;
            }
        }
    }
}

/// The memory broker does what it is asked.
pub(super) fn done<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("the rig's broker failed: {error:?}"))
}

impl Rig {
    /// Runs everything that is due, and what that makes due, until nothing is left for now: what ran, and how it ended.
    ///
    /// Tasks that are due later, retries among them, wait for [`advance`](Self::advance).
    ///
    /// # Panics
    ///
    /// When the worker cannot start, as a server could not; or when a job enqueues itself without end.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, tasks that were running stay with the worker; the next call ends them.
    pub async fn drain(&self) -> Report {
        let mut report = Report::default();
        self.engine.lock().await.run_due(self, &mut report).await;
        report
    }

    /// Moves the clock by this time, and runs what falls due on the way, each task at its time: scheduled tasks,
    /// retries, and what other workers held when they [died](Self::crash_attempt) or
    /// [stood still](Self::freeze_worker).
    ///
    /// # Panics
    ///
    /// As [`drain`](Self::drain).
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the clock stays where it has come to; as [`drain`](Self::drain) otherwise.
    pub async fn advance(&self, by: Duration) -> Report {
        let mut report = Report::default();
        let mut engine = self.engine.lock().await;
        let end = self.now().saturating_add(by).unwrap_or(Timestamp::MAX);
        let mut next_due = engine.run_due(self, &mut report).await;
        while self.now() < end {
            // Time never stands still, whatever is due when.
            let next = next_due.filter(|due| *due > self.now()).map_or(end, |due| due.min(end));
            self.clock().advance(Duration::try_from(next.duration_since(self.now())).unwrap_or_default());
            next_due = engine.run_due(self, &mut report).await;
        }
        report
    }

    /// Runs one job now, through its codec and the router with all middleware, as its first attempt: what its handler
    /// returned. Nothing is enqueued, and nothing is tried again.
    ///
    /// For a job whose output cannot be read back, or for another attempt than the first, see
    /// [`perform_with`](Self::perform_with).
    ///
    /// # Errors
    ///
    /// The handler's; what a server makes of a panic or of running out of time; or that the payload or the output
    /// cannot be encoded or decoded.
    ///
    /// # Panics
    ///
    /// When the worker cannot start, as a server could not.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handler where it is.
    pub async fn perform<J: Job<Output: DeserializeOwned>>(&self, job: J) -> Result<J::Output, BoxError> {
        let outcome = self.perform_with(job, TestCtx::new()).await?;
        Ok(serde_json::from_slice(outcome.result.as_deref().unwrap_or(b"null"))?)
    }

    /// Runs one job now, in this context; the payload, the type, the client and the shared values are those of the job
    /// and the rig.
    ///
    /// # Errors
    ///
    /// As [`perform`](Self::perform), but the output is as it would be stored.
    ///
    /// # Panics
    ///
    /// When the worker cannot start, as a server could not.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handler where it is.
    pub async fn perform_with<J: Job>(&self, job: J, ctx: TestCtx) -> HandlerResult {
        let attempted = ctx.job(&job)?.on(self).into_attempt();
        let mut engine = self.engine.lock().await;
        let worker = engine.worker(self).await;
        worker.attempt(attempted, self.faults.crashed()).await.unwrap_or_else(|| Err(WorkerDied.into()))
    }

    /// What a run came to, for the report.
    pub(super) fn attempt(&self, run: Run) -> Attempt {
        Attempt::new(run, self.now(), &self.faults)
    }

    /// Resolves when a worker of this rig is to die.
    pub(super) fn crash(&self) -> impl Future<Output = ()> {
        self.faults.crashed()
    }
}
