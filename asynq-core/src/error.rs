//! [`Error`]: what can go wrong for a caller of the client or the owner of a server.

use std::fmt;
use std::time::Duration;

use crate::broker::{BrokerError, Unreadable};
use crate::client::WaitError;
use crate::job::{CodecError, Length};
use crate::router::{BoxError, DuplicateAggregator, DuplicateJob};
use crate::scheduler::InvalidSchedule;
use crate::task::{BlankName, InvalidOption, QueueName, TaskId, TaskState};

/// What can go wrong for a caller of the client or the owner of a server.
///
/// The text of an error says what happened and what to do; its cause, if any, is its
/// [`source`](std::error::Error::source). The debug form is the text with all causes: what a `main` that returns it
/// prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another task holds the uniqueness lock: often simply the expected answer; see
    /// [`IfAbsent`](crate::client::IfAbsent).
    ///
    /// The lock is looked at and taken in one step, at the store: of several that come at once, one is stored. A lock
    /// whose time is over at that moment is free.
    #[error("task already exists: `{holder}` in queue `{queue}` holds the uniqueness lock")]
    DuplicateTask {
        /// The queue.
        queue: QueueName,
        /// The ID of the task that holds the lock. It may be done and gone, where it holds the lock for its whole time
        /// ([`UniqueUntil::Ttl`](crate::task::UniqueUntil::Ttl)).
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
    /// No task was ever sent to this queue, or it was deleted: check its name.
    #[error("queue not found: `{queue}`")]
    QueueNotFound {
        /// The queue.
        queue: QueueName,
    },
    /// The queue holds tasks: wait until it is empty, or delete it by force.
    #[error("queue is not empty: `{queue}` holds tasks; delete it by force to delete them too")]
    QueueNotEmpty {
        /// The queue.
        queue: QueueName,
    },
    /// Tasks of the queue are being run: pause it, and wait for them or cancel them.
    #[error(
        "queue `{queue}` is busy (active tasks: {active}): pause it, and wait until they end or cancel them"
    )]
    QueueBusy {
        /// The queue.
        queue: QueueName,
        /// How many.
        active: usize,
    },
    /// The state of the task does not allow what was asked.
    #[error("task `{id}` in queue `{queue}` is {state}: {remedy}")]
    WrongState {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// Its state.
        state: TaskState,
        /// What can be done instead.
        remedy: &'static str,
    },
    /// An aggregator has the task in hand: it will be gone soon, or back in its group within minutes.
    #[error(
        "task `{id}` in queue `{queue}` is being aggregated: try again in a few minutes if it is still there"
    )]
    TaskStaged {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// The task is not what it was when it was read: read it again.
    #[error("task `{id}` in queue `{queue}` was changed meanwhile: read it again")]
    TaskChanged {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// What is stored under the ID is no task that can be read; it can be deleted.
    #[error("task `{id}` in queue `{queue}` cannot be read; it can only be deleted")]
    UnreadableTask {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// Why.
        source: Unreadable,
    },
    /// The broker is a single server, which has no slots and no nodes.
    #[error("the broker is no cluster: it has no slots and nodes to tell of")]
    NotACluster,
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
    /// A payload could not be compressed or encrypted, as its job or the client asks.
    #[error("payload of job `{job}` cannot be stored: {reason}")]
    PayloadNotStored {
        /// The task type.
        job: String,
        /// Why, and what is allowed.
        reason: String,
    },
    /// A payload is larger than the client was told to store, see [`Payloads`](crate::payload::Payloads::max_size): store
    /// what is large elsewhere, and a reference to it in the task.
    #[error("payload of job `{job}` is too large: {size} bytes, and at most {limit} are allowed")]
    PayloadTooLarge {
        /// The task type.
        job: String,
        /// Its bytes, as they would be stored.
        size: usize,
        /// The most that are allowed.
        limit: usize,
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
    /// The Redis of a server is older than what this library needs.
    #[error("Redis {found} is too old: 4.0 or newer is needed")]
    StoreTooOld {
        /// Its version.
        found: String,
    },
    /// The broker did not do what it was asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Waiting for a task gave no result.
    #[error(transparent)]
    Wait(#[from] WaitError),
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
    /// Two aggregators take the same tasks.
    #[error(transparent)]
    DuplicateAggregator(#[from] DuplicateAggregator),
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
    /// No task of a job can begin before its deadline.
    #[error(
        "job `{job}`, {place}, is delayed by {} (`delay`), and past its deadline {} after it was enqueued \
         (`expires_in`): none could ever run; make one shorter or the other longer",
        Length(*.delay),
        Length(*.expires_in)
    )]
    NeverInTime {
        /// The task type.
        job: String,
        /// Struct, file and line.
        place: String,
        /// From enqueuing to the first attempt.
        delay: Duration,
        /// From enqueuing to the deadline.
        expires_in: Duration,
    },
    /// A schedule that cannot be kept.
    #[error(transparent)]
    InvalidSchedule(#[from] InvalidSchedule),
    /// No entry with this ID is registered with the scheduler.
    #[error("scheduler entry not found: `{id}`")]
    EntryNotFound {
        /// The ID.
        id: String,
    },
    /// No schedule of this name is stored.
    #[error("schedule not found: none of the name `{name}` is stored")]
    ScheduleNotFound {
        /// The name.
        name: String,
    },
    /// A schedule of this name is stored already: change that one, or choose another name.
    #[error("schedule already exists: one of the name `{name}` is stored")]
    ScheduleExists {
        /// The name.
        name: String,
    },
    /// The stored schedule is not what it was when it was read: read it again.
    #[error("schedule `{name}` was changed meanwhile: read it again")]
    ScheduleChanged {
        /// The name.
        name: String,
    },
    /// What is stored under the name is no schedule that can be read; it can be deleted.
    #[error("schedule `{name}` cannot be read, only deleted: {reason}")]
    UnreadableSchedule {
        /// The name.
        name: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// As many schedules are stored as there may be.
    #[error("too many schedules: {limit} are stored, and no more may be")]
    TooManySchedules {
        /// How many.
        limit: usize,
    },
    /// The scheduler cannot do that any more, or again.
    #[error("the scheduler {0}")]
    SchedulerState(&'static str),
    /// The provider of periodic tasks failed at start; later failures are logged, and change nothing.
    #[error("the provider of periodic tasks failed")]
    Provider(#[source] BoxError),
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
        let mut told = self.to_string();
        f.write_str(&told)?;
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some errors say of themselves what their cause says.
            if text != told {
                write!(f, ": {text}")?;
            }
            (told, next) = (text, cause.source());
        }
        Ok(())
    }
}
