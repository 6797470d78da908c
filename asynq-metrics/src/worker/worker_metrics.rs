//! [`WorkerMetrics`]: counts the runs of one worker.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use asynq_core::telemetry::{Observer, Run, RunOutcome};

use super::series::SeriesTable;
use crate::exposition::{Family, Kind, Value, text};

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
/// A run that is [put back](RunOutcome::PutBack) is counted, but in no run time: it says how long a limit took to refuse it.
///
/// Counting a run allocates nothing, once its queue and type were seen, and takes two look-ups and eight atomic additions:
/// `docs/observability.md` has what that costs.
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
pub struct WorkerMetrics(Arc<SeriesTable>);

impl WorkerMetrics {
    /// Of the first hundred types each has a name; those that come later are called `other`. Buckets go from 5 ms to an
    /// hour.
    pub fn new() -> Self {
        Self::with(MAX_TYPES, BOUNDS.map(Duration::from_millis))
    }

    /// With this many names of types, and these upper bounds of the buckets, in any order. There is always a last bucket
    /// without a bound.
    pub fn with(max_types: usize, bounds: impl IntoIterator<Item = Duration>) -> Self {
        let mut bounds: Vec<Duration> = bounds.into_iter().collect();
        bounds.sort_unstable();
        bounds.dedup();
        Self(Arc::new(SeriesTable::new(bounds.into(), max_types)))
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
        for series in self.0.all() {
            let labels = || [("queue", Arc::clone(&series.queue)), ("type", Arc::clone(&series.task_type))];
            for (family, histogram) in [(&mut ran, &series.ran), (&mut waited, &series.waited)] {
                if let Some(histogram) = histogram.read() {
                    family.push(labels(), Value::Histogram(histogram));
                }
            }
            for (outcome, count) in RunOutcome::ALL.into_iter().zip(&series.finished) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let outcome = ("outcome", Arc::from(outcome.as_str()));
                    finished.push([outcome].into_iter().chain(labels()), number(count));
                }
            }
            let running = series.in_flight.load(Ordering::Relaxed);
            in_flight.push(labels(), number(u64::try_from(running).unwrap_or(0)));
        }
        vec![ran, waited, finished, in_flight]
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
        let series = self.0.of(run);
        series.in_flight.fetch_add(1, Ordering::Relaxed);
        if let Some(waited) = waited {
            series.waited.observe(waited);
        }
    }

    fn ended(&self, run: &Run<'_>, outcome: RunOutcome, took: Option<Duration>) {
        let series = self.0.of(run);
        series.in_flight.fetch_sub(1, Ordering::Relaxed);
        series.count(outcome);
        if let Some(took) = took.filter(|_| outcome != RunOutcome::PutBack) {
            series.ran.observe(took);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn number(count: u64) -> Value {
    Value::Number(count as f64)
}
