//! [`Op`]: one operation, in numbers that stand for names.

use super::care::CareOp;
use super::groups::GroupOp;
use crate::broker::{Change, Collection};
use crate::task::{QueueName, UniqueUntil};

/// How many queues there are.
pub(super) const QUEUES: u8 = 2;
/// How many task IDs there are in each queue.
pub(super) const IDS: u8 = 12;
/// How many groups there are in each queue.
pub(super) const GROUPS: u8 = 2;
/// How many uniqueness locks there are in each queue.
pub(super) const LOCKS: u8 = 3;
const SERVERS: u8 = 2;
const ENTRIES: u8 = 2;

/// Times to live, and the steps of the clock, in seconds: whole multiples of this, so that the seconds which a
/// test itself takes never decide whether a key of Redis has expired.
pub(super) const TICK: u32 = 20;

pub(super) fn queue_name(number: u8) -> QueueName {
    QueueName::stored(&format!("q{}", number % QUEUES))
}

pub(super) fn server_name(number: u8) -> String {
    format!("server-{}", number % SERVERS)
}

pub(super) fn entry_name(number: u8) -> String {
    format!("entry-{}", number % ENTRIES)
}

pub(super) fn group_name(number: u8) -> String {
    format!("g{}", number % GROUPS)
}

pub(super) fn collection(number: u8) -> Collection {
    match number % 8 {
        0 => Collection::Pending,
        1 => Collection::Active,
        2 => Collection::Scheduled,
        3 => Collection::Retry,
        4 => Collection::Archived,
        5 => Collection::Completed,
        group => Collection::Group(group_name(group)),
    }
}

/// One operation. Its numbers are taken modulo the names there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Enqueues a batch.
    Enqueue(Vec<TaskOp>),
    /// Enqueues the task of a tick.
    Tick {
        /// The entry.
        entry: u8,
        /// This many seconds from now.
        at: i8,
        /// The task.
        task: TaskOp,
    },
    /// Reads the mark of an entry, or sets its first one.
    TickMark {
        /// The queue.
        queue: u8,
        /// The entry.
        entry: u8,
    },
    /// Stores a schedule, or deletes one; 0 is none.
    ChangeTimetable {
        /// Its name.
        entry: u8,
        /// What is expected to be stored.
        expected: u8,
        /// What is to be stored.
        new: u8,
    },
    /// Reads all that are stored, unless they were changed as often as this.
    Timetable {
        /// How often.
        seen: Option<u8>,
    },
    /// Asks to run under a rate limit.
    TakeTurn {
        /// The task.
        id: u8,
    },
    /// Takes a token of a semaphore.
    AcquireToken {
        /// The task.
        id: u8,
    },
    /// Gives it back.
    ReleaseToken {
        /// The task.
        id: u8,
    },
    /// Watches a task.
    Watch {
        /// The queue.
        queue: u8,
        /// The task.
        id: u8,
    },
    /// Settles a batch and leases.
    Exchange {
        /// What to settle.
        settle: Vec<SettleOp>,
        /// By which server to lease.
        server: u8,
        /// From which queues, in this order.
        queues: Vec<u8>,
        /// How many.
        slots: u8,
    },
    /// Extends the leases of runs.
    ExtendLeases {
        /// The queue.
        queue: u8,
        /// The runs, counted back from the newest.
        runs: Vec<u8>,
        /// For how long from now, in seconds.
        seconds: u8,
    },
    /// Forwards due tasks.
    Forward {
        /// The queue.
        queue: u8,
    },
    /// A sign of life of a server.
    Beat {
        /// The server.
        server: u8,
        /// Its queues.
        queues: Vec<u8>,
    },
    /// Retires servers.
    Retire {
        /// The servers.
        servers: Vec<u8>,
        /// The queues.
        queues: Vec<u8>,
    },
    /// Asks which queues hold something.
    Occupied {
        /// Where.
        place: u8,
        /// The queues.
        queues: Vec<u8>,
    },
    /// Lists leases that end.
    ExpiringLeases {
        /// The queue.
        queue: u8,
        /// Until this many seconds from now.
        seconds: u8,
    },
    /// Lists what a server owns.
    OwnedBy {
        /// The queue.
        queue: u8,
        /// The server.
        server: u8,
        /// From which position on.
        offset: u8,
        /// How many to look at.
        limit: u8,
    },
    /// Mends active IDs.
    MendActive {
        /// The queue.
        queue: u8,
        /// From which position on.
        offset: u8,
    },
    /// Writes a result.
    WriteResult {
        /// The queue.
        queue: u8,
        /// The task.
        id: u8,
        /// The result is this byte.
        byte: u8,
    },
    /// Deletes completed tasks.
    DeleteExpiredCompleted {
        /// The queue.
        queue: u8,
        /// How many at most.
        limit: u8,
    },
    /// Publishes a server's state.
    WriteServerState {
        /// The server.
        server: u8,
        /// The tasks it runs.
        ids: Vec<u8>,
    },
    /// Leaves how long a server's runs took.
    WriteRunTimes {
        /// The server.
        server: u8,
        /// This byte says it.
        byte: u8,
    },
    /// Reads what servers left of it.
    RunTimes,
    /// Removes a server's state.
    ClearServerState {
        /// The server.
        server: u8,
    },
    /// Pauses a queue.
    Pause {
        /// The queue.
        queue: u8,
    },
    /// Resumes a queue.
    Resume {
        /// The queue.
        queue: u8,
    },
    /// Looks at a task.
    TaskInfo {
        /// The queue.
        queue: u8,
        /// The task.
        id: u8,
    },
    /// Does something with groups.
    Group(GroupOp),
    /// Runs, archives or deletes a task.
    Change {
        /// The queue.
        queue: u8,
        /// The task.
        id: u8,
        /// What to do.
        change: Change,
    },
    /// Runs, archives or deletes the first tasks of a collection.
    ChangeFirst {
        /// The queue.
        queue: u8,
        /// The collection.
        collection: u8,
        /// What to do.
        change: Change,
        /// With how many at most.
        limit: u8,
    },
    /// Edits a task.
    Edit {
        /// The queue.
        queue: u8,
        /// The task.
        id: u8,
        /// The new payload is this byte.
        byte: u8,
        /// Due in this many seconds.
        due: Option<i8>,
    },
    /// Lists tasks of a collection.
    Scan {
        /// The queue.
        queue: u8,
        /// The collection.
        collection: u8,
        /// From which position on.
        offset: u8,
        /// How many.
        limit: u8,
    },
    /// Looks at a queue and its groups.
    QueueInfo {
        /// The queue.
        queue: u8,
    },
    /// Deletes a queue.
    DeleteQueue {
        /// The queue.
        queue: u8,
        /// Also if it holds tasks.
        force: bool,
    },
    /// Does what the doctor, an export or an import does.
    Care(CareOp),
    /// Moves the clock by 20 seconds each.
    Advance {
        /// How often 20 seconds.
        ticks: u32,
        /// Whether a quarter of a second comes on top.
        quarter: bool,
    },
    /// Breaks a task.
    Break {
        /// The queue.
        queue: u8,
        /// The task.
        id: u8,
        /// How.
        how: BreakOp,
    },
}

/// A task to enqueue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOp {
    /// The queue.
    pub queue: u8,
    /// Its ID.
    pub id: u8,
    /// Where it starts.
    pub placement: PlacementOp,
    /// Its lock, for how many times 20 seconds, and until when.
    pub unique: Option<(u8, u8, UniqueUntil)>,
}

/// Where a task starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacementOp {
    /// Ready to run.
    Pending,
    /// Due in this many seconds.
    Scheduled(i8),
    /// In this group.
    Group(u8),
    /// Due in this many seconds, and then in this group.
    Delayed(i8, u8),
}

/// A settlement of a run that was leased before, perhaps long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleOp {
    /// The run, counted back from the newest.
    pub run: u8,
    /// Which token it shows.
    pub token: TokenOp,
    /// By how many seconds the end of its lease is off.
    pub lease_off: i8,
    /// Where the task goes.
    pub transition: TransitionOp,
}

/// Which token a settlement shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOp {
    /// That of the run.
    Own,
    /// None.
    None,
    /// One that no run has.
    Foreign,
}

/// Where a task goes from active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionOp {
    /// Done.
    Done,
    /// Revoked.
    Revoke,
    /// Completed: kept for this many seconds, with this byte as the result.
    Complete(u8, Option<u8>),
    /// To be tried again in this many seconds; whether it is a failure.
    Retry(u8, bool),
    /// Put back, for its type is unknown, and given up after this many times.
    PutBack(u8),
    /// Archived.
    Archive {
        /// Whether with a message.
        with_message: bool,
        /// Whether the lock is released.
        release: bool,
    },
    /// Put back, and whether after a crash.
    Requeue(bool),
}

/// How to break a task that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakOp {
    /// Deletes its hash; its ID stays where it is.
    Delete,
    /// Overwrites its message by what is none.
    Garble,
    /// Makes it look as if a Go worker ran it.
    ForgetRun,
    /// Leaves a token with it that no run has.
    StrayRun,
    /// Writes a group into its hash.
    SetGroup(u8),
    /// Removes its lease.
    RemoveLease,
    /// Gives it a lease of this many seconds, active or not.
    SetLease(i8),
    /// Pushes another ID, without a task, to pending.
    PushDangling,
    /// Pushes another ID, without a task, to active.
    PushDanglingActive,
}

impl Op {
    /// Whether it breaks the store, after which [`broken_invariants`] means nothing.
    pub fn is_break(&self) -> bool {
        matches!(self, Self::Break { .. })
    }
}
