//! [`WorkerMetrics`]: counts the runs of one worker.

use std::sync::Arc;
use std::time::Duration;

use asynq_core::telemetry::{Observer, Run, RunCounts, RunOutcome, Spread};

use crate::exposition::{Family, Histogram, Kind, Value, text};

/// Upper bounds of the buckets, unless set, in milliseconds: from what a cache answers to an hour of work.
const BOUNDS: [u64; 16] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];

/// How many types have a name of their own, unless set.
const MAX_TYPES: usize = 100;

/// Counts what one worker runs, by queue and type: an [`Observer`] of its server. Cheap to clone; clones count together, so
/// one may stand for several servers of a process.
///
/// | name | kind | labels |
/// |---|---|---|
/// | `asynq_x_task_run_seconds` | histogram | queue, type |
/// | `asynq_x_task_wait_seconds` | histogram | queue, type |
/// | `asynq_x_tasks_finished_total` | counter | queue, type, outcome ([`RunOutcome`]) |
/// | `asynq_x_tasks_in_flight` | gauge | queue, type |
///
/// It counts as [`RunCounts`] does; `docs/observability.md` has what that costs.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::router::{Ctx, Router};
/// use asynq_core::server::Server;
/// use asynq_core::task::{Task, TaskOptions};
/// use asynq_metrics::WorkerMetrics;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let client = Client::in_memory();
/// let metrics = WorkerMetrics::new();
/// let router = Router::new().route("email:send", async |_ctx: Ctx| Ok::<_, String>(()))?;
/// let server = Server::builder(&client).router(router).observer(metrics.clone()).start().await?;
///
/// let kept = TaskOptions::new().retention(Duration::from_secs(60));
/// client.enqueue(Task::new("email:send", "")?.options(kept)).await?.wait(&client).await.ok();
/// server.shutdown().await;
/// let line = r#"asynq_x_tasks_finished_total{outcome="ok",queue="default",type="email:send"} 1"#;
/// assert!(metrics.text().contains(line));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WorkerMetrics(RunCounts);

impl WorkerMetrics {
    /// Of the first hundred types each has a name; those that come later are called `other`. Buckets go from 5 ms to an
    /// hour.
    pub fn new() -> Self {
        Self::with(MAX_TYPES, BOUNDS.map(Duration::from_millis))
    }

    /// With this many names of types, and these upper bounds of the buckets, in any order. There is always a last bucket
    /// without a bound.
    pub fn with(max_types: usize, bounds: impl IntoIterator<Item = Duration>) -> Self {
        Self(RunCounts::limited(bounds, max_types, usize::MAX))
    }

    /// What was counted so far.
    pub fn families(&self) -> Vec<Family> {
        let mut ran = Family::new(
            "asynq_x_task_run_seconds",
            Kind::Histogram,
            "How long runs took in this worker, by queue and type.",
        );
        let mut waited = Family::new(
            "asynq_x_task_wait_seconds",
            Kind::Histogram,
            "How long tasks were pending before this worker ran them, by queue and type.",
        );
        let mut finished = Family::new(
            "asynq_x_tasks_finished_total",
            Kind::Counter,
            "Runs that ended in this worker, by queue, type and outcome.",
        );
        let mut in_flight = Family::new(
            "asynq_x_tasks_in_flight",
            Kind::Gauge,
            "Tasks that this worker runs now, by queue and type.",
        );
        for series in self.0.read() {
            let labels = || [("queue", Arc::clone(&series.queue)), ("type", Arc::clone(&series.task_type))];
            for (family, spread) in [(&mut ran, &series.ran), (&mut waited, &series.waited)] {
                if spread.total() > 0 {
                    family.push(labels(), Value::Histogram(self.histogram(spread)));
                }
            }
            for outcome in RunOutcome::ALL {
                let count = series.count(outcome);
                if count > 0 {
                    let outcome = ("outcome", Arc::from(outcome.as_str()));
                    finished.push([outcome].into_iter().chain(labels()), number(count));
                }
            }
            in_flight.push(labels(), number(series.in_flight));
        }
        vec![ran, waited, finished, in_flight]
    }

    /// As Prometheus has it: each bucket holds all that the ones before it do.
    fn histogram(&self, spread: &Spread) -> Histogram {
        let bounds = self.0.bounds().iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
        let mut total = 0;
        let buckets = bounds.zip(&spread.counts).map(|(bound, count)| {
            total += count;
            (bound, total)
        });
        Histogram { buckets: buckets.collect(), sum: spread.sum.as_secs_f64() }
    }

    /// What was counted so far, as [`text`].
    pub fn text(&self) -> String {
        text(&self.families())
    }
}

impl Default for WorkerMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for WorkerMetrics {
    fn started(&self, run: &Run<'_>, waited: Option<Duration>) {
        self.0.started(run, waited);
    }

    fn ended(&self, run: &Run<'_>, outcome: RunOutcome, took: Option<Duration>) {
        self.0.ended(run, outcome, took);
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn number(count: u64) -> Value {
    Value::Number(count as f64)
}
