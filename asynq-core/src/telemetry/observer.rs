//! [`Observer`]: is told of every run of a task, for metrics.

use std::fmt;
use std::time::Duration;

/// Is told when a server begins to run a task and when that run ends; set by
/// [`ServerBuilder::observer`](crate::server::ServerBuilder::observer). `asynq::metrics::WorkerMetrics` (feature `metrics`)
/// makes Prometheus metrics of it, `asynq_opentelemetry::Meters` those of OpenTelemetry.
///
/// It is called where the server dispatches, twice for each task, so it should take well under a microsecond: count, and
/// leave the rest to whoever asks. A panic in it is logged, and disturbs nothing.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::time::Duration;
///
/// use asynq_core::client::Client;
/// use asynq_core::server::Server;
/// use asynq_core::telemetry::{Observer, Run, RunOutcome};
///
/// /// How many runs went wrong.
/// #[derive(Debug, Default)]
/// struct Failures(AtomicU64);
///
/// impl Observer for Failures {
///     fn started(&self, _run: &Run<'_>, _waited: Option<Duration>) {}
///
///     fn ended(&self, _run: &Run<'_>, outcome: RunOutcome, _took: Option<Duration>) {
///         if outcome != RunOutcome::Ok {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let client = Client::in_memory();
/// let server = Server::builder(&client).observer(Failures::default());
/// # drop(server);
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// A run begins. `waited` is how long the task was pending, by the clocks of who enqueued or forwarded it and of this
    /// server; `None` where nobody noted since when, as after some operations of Go's inspector.
    fn started(&self, run: &Run<'_>, waited: Option<Duration>);

    /// A run that was told to begin has ended: once for each, unless the server is dropped. `took` is `None` for a run
    /// that this server lost to a later one of its own.
    fn ended(&self, run: &Run<'_>, outcome: RunOutcome, took: Option<Duration>);
}

/// A run of a task, as an [`Observer`] is told of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Run<'a> {
    /// The task's queue.
    pub queue: &'a str,
    /// The task's type, as it is stored: whatever somebody enqueued, also where no job is for it.
    pub task_type: &'a str,
}

impl<'a> Run<'a> {
    /// A run of a task of this type in this queue.
    pub fn new(queue: &'a str, task_type: &'a str) -> Self {
        Self { queue, task_type }
    }
}

/// How a run ended, in a word: what went wrong where that has a name, otherwise what becomes of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunOutcome {
    /// It succeeded.
    Ok,
    /// It failed and will be tried again.
    Retry,
    /// It failed, and the task is given up: its retries are used up.
    Archived,
    /// Its error said that no retry helps: `SkipRetry`, `Revoke`, or a payload that cannot be read.
    Skipped,
    /// It was cancelled; whether the task is tried again is a setting.
    Cancelled,
    /// It took longer than its timeout or deadline allows.
    Timeout,
    /// It panicked.
    Panic,
    /// It has not failed: the task waits for its turn, for another server, or the server shuts down.
    PutBack,
}

impl RunOutcome {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Retry,
        Self::Archived,
        Self::Skipped,
        Self::Cancelled,
        Self::Timeout,
        Self::Panic,
        Self::PutBack,
    ];

    /// Its name in metrics: `ok`, `retry`, `archived`, `skipped`, `cancelled`, `timeout`, `panic`, `put_back`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry",
            Self::Archived => "archived",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::Panic => "panic",
            Self::PutBack => "put_back",
        }
    }
}
