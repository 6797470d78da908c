//! The [`Broker`] trait: produce, take, settle, lease, forward, recover.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Admission, ArchiveLimits, Audit, BrokerError, Care, Changes, Groups, Inspection, Processes, RunToken,
    Schedules, ServerTime, Settled, Settlement, Timetable, Waits,
};
use crate::clock::Clock;
use crate::task::{QueueName, TaskId, TaskInfo, UniqueUntil};
use crate::wire::keys::Keyspace;
use crate::wire::{DecodeError, ServerInfo, TaskMessage, WorkerInfo};

/// A store of tasks that clients and servers share.
///
/// Methods take and give batches, so that one call can stand for one round trip. Times in scores are whole Unix
/// seconds of the broker's [`Clock`]. Unless said otherwise a call that is dropped half-way may or may not have
/// taken effect: await calls to their end, and race only [`Waiter::wait`] and [`Messages::next`].
#[async_trait]
pub trait Broker:
    Groups
    + Schedules
    + Timetable
    + Inspection
    + Changes
    + Care
    + Processes
    + Admission
    + Audit
    + ServerTime
    + Waits
    + fmt::Debug
    + Send
    + Sync
    + 'static
{
    /// The clock that stamps what is written.
    fn clock(&self) -> &Clock;

    /// The names under which this broker stores.
    fn keyspace(&self) -> &Keyspace;

    /// A broker on the same store for use on another runtime: its calls must not depend on this one's runtime
    /// being polled. `None` where that makes no difference.
    fn for_other_runtime(&self) -> Option<Arc<dyn Broker>> {
        None
    }

    /// The same store, its archives trimmed to these limits by what is done through this handle.
    fn with_archive_limits(&self, limits: ArchiveLimits) -> Arc<dyn Broker>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), BrokerError>;

    /// Stores new tasks: one result for each, in order. A refused task changes nothing.
    async fn enqueue(&self, tasks: &[NewTask]) -> Vec<Result<(), EnqueueError>>;

    /// Hands back finished tasks and leases new ones, in one round trip. Settlements of the same task are applied in
    /// order, and `settled` answers `settle` in order. Fewer may be leased than there are where many pending IDs have
    /// no task.
    async fn exchange(&self, settle: &[Settlement], demand: &Demand) -> Result<Exchanged, BrokerError>;

    /// Watches for work in these queues.
    fn waiter(&self, queues: &[QueueName]) -> Box<dyn Waiter>;

    /// Extends the leases of runs to `until` (Unix seconds): for each, whether that run still holds its task.
    /// A lease entry that is missing is put back when the run is the holder.
    async fn extend_leases(
        &self,
        queue: &QueueName,
        runs: &[LeaseRef],
        until: i64,
    ) -> Result<Vec<bool>, BrokerError>;

    /// Those of the queues that hold something in this place. Where none of them does, it costs one look.
    async fn occupied(&self, place: Place, queues: &[QueueName]) -> Result<Vec<QueueName>, BrokerError>;

    /// Moves due tasks, at most 100 of `scheduled` and of `retry` each, to pending or back to their group. An ID
    /// without a task is dropped.
    async fn forward(&self, queue: &QueueName) -> Result<Forwarded, BrokerError>;

    /// Listens for what is scheduled or put off in these queues, by whatever program; `None` where the broker cannot
    /// tell, and the queues have to be looked at now and then.
    async fn later_changes(
        &self,
        _queues: &[QueueName],
    ) -> Result<Option<Box<dyn LaterChanges>>, BrokerError> {
        Ok(None)
    }

    /// Records that a server lives, which may hold tasks of these queues.
    async fn beat(&self, server_id: &str, queues: &[QueueName]) -> Result<(), BrokerError>;

    /// The last beat of every server that may hold tasks, for each queue.
    async fn beats(&self, queues: &[QueueName]) -> Result<Vec<Vec<OwnerBeat>>, BrokerError>;

    /// Removes servers from those that may hold tasks of a queue: they hold none, or theirs were recovered.
    async fn retire(&self, server_ids: &[&str], queues: &[QueueName]) -> Result<(), BrokerError>;

    /// Active tasks whose lease ends at or before `until` (Unix seconds), earliest first, at most `limit`.
    async fn expiring_leases(
        &self,
        queue: &QueueName,
        until: i64,
        limit: usize,
    ) -> Result<Vec<ActiveTask>, BrokerError>;

    /// Active tasks that a server holds (`x_own`), among the `limit` oldest from position `offset` on.
    /// `Ok((found, looked_at))`: fewer looked at than `limit` means the end.
    async fn owned_by(
        &self,
        queue: &QueueName,
        server_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ActiveTask>, usize), BrokerError>;

    /// Mends active IDs among the `limit` oldest from `offset` on: one without a lease gets a lease that ends now,
    /// one without a task is dropped. From `offset` 0 it also looks at the `limit` leases that end first, and drops
    /// those whose task is gone or not in the state active.
    /// `Ok((mended, looked_at))`.
    async fn mend_active(
        &self,
        queue: &QueueName,
        offset: usize,
        limit: usize,
    ) -> Result<(usize, usize), BrokerError>;

    /// Stores a result with a task that exists; `false` when it does not.
    async fn write_result(&self, queue: &QueueName, id: &TaskId, result: &Bytes)
    -> Result<bool, BrokerError>;

    /// Deletes completed tasks whose retention is over, at most `limit`: how many.
    async fn delete_expired_completed(&self, queue: &QueueName, limit: usize) -> Result<usize, BrokerError>;

    /// Deletes archived tasks that are older than the [limits](Self::with_archive_limits) allow, at most `limit`: how
    /// many.
    async fn delete_expired_archived(&self, queue: &QueueName, limit: usize) -> Result<usize, BrokerError>;

    /// Publishes a server's state for inspectors, for `ttl`.
    async fn write_server_state(
        &self,
        info: &ServerInfo,
        workers: &[WorkerInfo],
        ttl: Duration,
    ) -> Result<(), BrokerError>;

    /// Removes a server's state.
    async fn clear_server_state(&self, info: &ServerInfo) -> Result<(), BrokerError>;

    /// Asks whichever server runs this task to cancel it. Best effort: nobody may be listening.
    async fn publish_cancellation(&self, id: &TaskId) -> Result<(), BrokerError>;

    /// Listens for such requests: IDs of tasks.
    async fn cancellations(&self) -> Result<Box<dyn Messages>, BrokerError>;

    /// Pauses a queue; `false` when it was paused already.
    async fn pause(&self, queue: &QueueName) -> Result<bool, BrokerError>;

    /// Resumes a queue; `false` when it was not paused.
    async fn resume(&self, queue: &QueueName) -> Result<bool, BrokerError>;

    /// A task as it stands; `None` when there is no such task.
    async fn task_info(&self, queue: &QueueName, id: &TaskId) -> Result<Option<TaskInfo>, BrokerError>;
}

/// Where a server looks for something to do beside running tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Tasks that are scheduled or to be retried.
    Later,
    /// Active tasks.
    Active,
    /// Completed and archived tasks.
    Ended,
    /// Groups that are known, and aggregation sets.
    Groups,
    /// Servers that may hold tasks.
    Servers,
}

/// A task to be stored.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// The message; its queue, ID, group and lock key say where it goes.
    pub message: TaskMessage,
    /// In which state it starts.
    pub placement: Placement,
    /// How long the lock `message.unique_key` lasts, in seconds; 0 when it takes none.
    pub unique_ttl: i64,
    /// What ends the lock earlier.
    pub unique_until: UniqueUntil,
}

/// In which state a new task starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Ready to run.
    Pending,
    /// Due at this Unix second.
    Scheduled(i64),
    /// Waiting in the group that the message names.
    Group,
}

/// Why a new task was not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EnqueueError {
    /// Another task holds the uniqueness lock; in one step with the attempt to take it. One whose time is over is free.
    #[error("task already exists")]
    Duplicate {
        /// The ID of that task.
        holder: String,
    },
    /// The queue has a task with this ID.
    #[error("task ID conflicts with another task")]
    IdConflict,
    /// The store did not answer or refused; after [`Unavailable`](super::BrokerErrorKind::Unavailable) the task
    /// may be stored all the same.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// How many tasks a server can take, and from where.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The server that takes them (`x_own`).
    pub server_id: String,
    /// How many at most; 0 takes none.
    pub slots: usize,
    /// From which queues. With `strict`, in this order; otherwise each slot draws among the queues that have
    /// tasks, with probability proportional to their weight.
    pub queues: Vec<QueueShare>,
    /// Whether a queue is served only while all before it are empty.
    pub strict: bool,
    /// Task types of which only so many may be taken. What is over stays where it is in its queue, and others
    /// behind it are taken, as far as [`LOOK_AHEAD`](super::LOOK_AHEAD) goes.
    pub types: Vec<TypeShare>,
    /// Whether to tell since when each task was pending.
    pub pending_since: bool,
}

impl Demand {
    /// Takes nothing: for an exchange that only settles.
    pub fn none() -> Self {
        Self {
            server_id: String::new(),
            slots: 0,
            queues: Vec::new(),
            strict: false,
            types: Vec::new(),
            pending_since: false,
        }
    }
}

/// A queue, its weight, and how much of it may be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueShare {
    /// The queue.
    pub queue: QueueName,
    /// Its weight, at least 1.
    pub weight: u32,
    /// How many tasks may be taken from it.
    pub slots: usize,
    /// Whether taking a task is a beat of the server in this queue: it has not beaten there of late.
    pub beat: bool,
}

impl QueueShare {
    /// A queue of which any number of tasks may be taken, by a server that beats there.
    pub fn new(queue: QueueName, weight: u32) -> Self {
        Self { queue, weight, slots: usize::MAX, beat: false }
    }
}

/// How many tasks of a type may be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeShare {
    /// The type, exactly.
    pub task_type: Arc<str>,
    /// How many.
    pub slots: usize,
}

/// What an exchange gave.
#[derive(Debug, Default)]
pub struct Exchanged {
    /// What became of each settlement.
    pub settled: Vec<Settled>,
    /// Tasks leased to the caller until [`LEASE`](super::LEASE) from now.
    pub leased: Vec<Leased>,
    /// IDs that were pending without a task, or once more than the task that was just leased: they are gone now.
    pub dropped: Vec<(QueueName, String)>,
    /// Every queue of the demand that is paused; none when there are no slots.
    pub paused: Vec<QueueName>,
    /// Queues in which tasks were left because no more of their type may be taken.
    pub passed_over: Vec<QueueName>,
    /// More than [`CROWD`](super::CROWD) tasks were active in a queue of the settlements, and one of these was not among
    /// the [`OF_LATE`](super::OF_LATE) that were taken last. A server should hold none but those that run: the more there
    /// are, the longer takes each settlement.
    pub is_crowded: bool,
    /// Some queues' part of the store did not answer: their settlements are [`Settled::Unanswered`], and tasks may have
    /// been leased without the caller's knowing. Where nothing answered, the exchange as a whole is an error.
    pub failure: Option<BrokerError>,
}

/// A task leased to the caller.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its queue.
    pub queue: QueueName,
    /// Its ID.
    pub id: TaskId,
    /// What is stored.
    pub message: StoredMessage,
    /// The run that begins.
    pub run: RunToken,
    /// The end of the lease, Unix seconds.
    pub lease_until: i64,
    /// Since when it was pending, Unix nanoseconds; `None` unless [asked for](Demand::pending_since), and where nobody
    /// noted it.
    pub pending_since: Option<i64>,
}

/// A stored message, if it can be read.
pub type StoredMessage = Result<TaskMessage, Undecodable>;

/// Stored bytes that are not a message.
#[derive(Clone, Debug)]
pub struct Undecodable {
    /// The bytes.
    pub bytes: Bytes,
    /// Why not.
    pub error: DecodeError,
}

/// A run whose lease is to be extended.
#[derive(Clone, Debug)]
pub struct LeaseRef {
    /// The task.
    pub id: TaskId,
    /// The run.
    pub run: RunToken,
}

/// What forwarding did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Forwarded {
    /// How many tasks moved.
    pub moved: usize,
    /// When the next one is due, Unix seconds; not after now when there are more to move.
    pub next_due: Option<i64>,
}

/// When a server was last alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerBeat {
    /// Its ID.
    pub server_id: String,
    /// Its last beat, Unix seconds of its own clock.
    pub at: i64,
}

/// An active task, as a recoverer sees it.
#[derive(Clone, Debug)]
pub struct ActiveTask {
    /// Its ID.
    pub id: TaskId,
    /// The end of its lease, Unix seconds; 0 when it has none.
    pub lease_until: i64,
    /// The run that holds it; none when a Go worker does.
    pub run: Option<RunToken>,
    /// The server that holds it; none when a Go worker does.
    pub owner: Option<String>,
    /// How often a worker died while running it.
    pub crashes: u32,
    /// What is stored.
    pub message: StoredMessage,
}

/// Tells when there may be work.
#[async_trait]
pub trait Waiter: fmt::Debug + Send {
    /// Returns once one of the queues may have a pending task, and which, where that is known; `paused` are queues to be
    /// looked at only now and then. It may return without cause, and takes nothing.
    ///
    /// # Errors
    ///
    /// When the store does not answer: back off before the next call.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    async fn wait(&mut self, paused: &[QueueName]) -> Result<Option<QueueName>, BrokerError>;

    /// Whether there was still a task to take after [`wait`](Self::wait) had returned. Where others are mostly faster, a
    /// waiter may let them go first.
    fn came_in_time(&mut self, _has_taken: bool) {}

    /// The next tasks are better taken by others, if others want them.
    fn let_others_first(&mut self) {}
}

/// What changes in the queues' lists of tasks that have a time.
#[async_trait]
pub trait LaterChanges: fmt::Debug + Send {
    /// Completes when some of them have changed: when the first task is due of those (Unix seconds). The first time it
    /// tells of all. `None` when the connection is lost.
    ///
    /// Best effort: some changes may never be told.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    async fn next(&mut self) -> Option<i64>;
}

/// What others publish.
#[async_trait]
pub trait Messages: fmt::Debug + Send {
    /// The next message; `None` when the connection is lost.
    ///
    /// Best effort: a listener that is too slow may miss some.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    async fn next(&mut self) -> Option<String>;
}
