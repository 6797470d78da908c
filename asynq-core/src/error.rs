//! [`Error`]: what can go wrong for a caller of the client or the owner of a server.

use std::fmt;

use crate::broker::BrokerError;
use crate::job::CodecError;
use crate::router::DuplicateJob;
use crate::task::{BlankName, InvalidOption, QueueName, TaskId};

/// What can go wrong for a caller of the client or the owner of a server.
///
/// The text of an error says what happened and what to do; its cause, if any, is its
/// [`source`](std::error::Error::source). The debug form is the text with all causes: what a `main` that returns it
/// prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A task with the same uniqueness lock is not done yet: often simply the expected answer.
    #[error("task already exists: `{holder}` in queue `{queue}` holds the uniqueness lock")]
    DuplicateTask {
        /// The queue.
        queue: QueueName,
        /// The ID of the task that holds the lock.
        holder: String,
    },
    /// The queue has a task with this ID, in any state: choose another ID, or delete that task first.
    #[error("task ID conflicts with another task: queue `{queue}` has `{id}`")]
    TaskIdConflict {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// No task with this ID is in the queue.
    #[error("task not found: queue `{queue}` has no `{id}`")]
    TaskNotFound {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// An option has a value that can never be right.
    #[error(transparent)]
    InvalidOption(#[from] InvalidOption),
    /// A payload could not be encoded.
    #[error("payload of job `{job}` cannot be encoded")]
    Codec {
        /// The task type.
        job: String,
        /// Why.
        source: CodecError,
    },
    /// The URL does not say where the broker is.
    #[error("invalid broker URL: {reason}")]
    InvalidUrl {
        /// Which part is wrong and what is allowed. Never contains a password.
        reason: String,
    },
    /// The broker could not be reached at start.
    #[error("cannot connect to {address}: check that the server runs there and that the URL is right")]
    Connect {
        /// The address, without user and password.
        address: String,
        /// Why.
        source: BrokerError,
    },
    /// The broker did not do what it was asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A setting of the environment or of the server has a wrong value.
    #[error("invalid setting `{name}`: {reason}")]
    InvalidSetting {
        /// The setting, such as `ASYNQ_QUEUES`.
        name: &'static str,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// No job is linked into this program.
    #[error(
        "no job is registered: write `#[job]` on an async fn, and name the crate that has the jobs \
         (`use my_jobs as _;`), for a crate that nothing names is not linked"
    )]
    NoJobs,
    /// Two jobs have one task type.
    #[error(transparent)]
    DuplicateJob(#[from] DuplicateJob),
    /// A handler needs something that the server was not given.
    #[error("job `{job}` at {place} needs {what}, which the server was not given: {remedy}")]
    MissingState {
        /// The task type.
        job: String,
        /// File and line.
        place: String,
        /// What it needs.
        what: String,
        /// How to give it.
        remedy: &'static str,
    },
    /// A registered job uses a queue that the server does not consume: its tasks would wait forever.
    #[error(
        "job `{job}` at {place} uses queue `{queue}`, which this server does not consume: add it to the \
         server's queues, or leave the queues out to consume those of all jobs"
    )]
    UnconsumedQueue {
        /// The task type.
        job: String,
        /// File and line.
        place: String,
        /// The queue.
        queue: String,
    },
    /// A route was added twice.
    #[error("task type pattern `{0}` is routed twice")]
    DuplicateRoute(String),
    /// A router has two fallbacks.
    #[error("a router has one fallback, and this one has two; keep one, or decide between them in it")]
    DuplicateFallback,
    /// The thread that keeps leases could not be started.
    #[error("cannot start the keeper thread")]
    Thread(#[source] std::io::Error),
    /// The signals that stop a server could not be listened for.
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
}

/// What fallible functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<BlankName> for Error {
    fn from(blank: BlankName) -> Self {
        Self::InvalidOption(blank.into())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}
