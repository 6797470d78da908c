//! [`Settlement`]: how a run of a task ends, and whose run it was.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::task::{QueueName, TaskId};
use crate::wire::TaskMessage;

/// Names one run of a task: random, stored with the task (`x_run`) while it is active. No two runs of one task
/// share one; the tasks that one exchange leases do.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RunToken(Arc<str>);

impl RunToken {
    /// A fresh token.
    pub fn random() -> Self {
        Self(Arc::from(format!("{:016x}", fastrand::u64(..))))
    }

    /// A token read from the store.
    pub fn stored(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The text that is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The end of one run of a task. It is applied only if that run still holds the task; a late settlement never
/// touches somebody else's run.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The task's queue.
    pub queue: QueueName,
    /// The task.
    pub id: TaskId,
    /// The run that ends; `None` for a run without a token (a Go worker's), as a recoverer saw it.
    pub run: Option<RunToken>,
    /// The latest end of lease, in Unix seconds, that this run can have. A later one belongs to another run
    /// (Go workers leave an old token in place).
    pub lease_until: i64,
    /// Where the task goes.
    pub transition: Transition,
}

/// Where a task goes from active.
#[derive(Clone, Debug)]
pub enum Transition {
    /// Success: the task is deleted. Counts as processed; releases the lock `unique_key` if not empty.
    Done {
        /// The lock to release; empty when there is none.
        unique_key: String,
    },
    /// Void: as [`Done`](Self::Done), but those who wait for the task are not told that it succeeded.
    Revoke {
        /// The lock to release; empty when there is none.
        unique_key: String,
    },
    /// Success, kept for a while. Counts as processed; releases the lock of the message.
    Complete {
        /// The message to store, with `completed_at` set.
        message: TaskMessage,
        /// Until when it is kept, in Unix seconds.
        until: i64,
        /// What the handler returned; `None` keeps what is stored.
        result: Option<Bytes>,
    },
    /// To be tried again later.
    Retry {
        /// The message to store, with the error in it.
        message: TaskMessage,
        /// When it is due, in Unix seconds.
        at: i64,
        /// Whether it counts as processed and failed.
        is_failure: bool,
    },
    /// It cannot run here and now: to be tried again later without using up a retry, and without being counted as
    /// processed.
    PutBack {
        /// The message to store.
        message: TaskMessage,
        /// When it is due, in Unix seconds.
        at: i64,
        /// Given up (as by [`Archive`](Self::Archive)) when it happens for this many times, which are counted with the
        /// task (`x_miss`); `None` for any number of times, uncounted.
        limit: Option<u32>,
    },
    /// Given up. Counts as processed and failed; the archive is trimmed.
    Archive {
        /// The message to store; `None` keeps the stored bytes, which then need not be readable.
        message: Option<TaskMessage>,
        /// The lock to release; empty to leave it until its time is up, as Go does.
        unique_key: String,
    },
    /// Back to the front of its queue, as if it had not been taken.
    Requeue {
        /// Whether its worker died: counted with the task (`x_crash`), no retry is used up.
        crashed: bool,
    },
}

/// What became of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Settled {
    /// It was applied.
    Applied,
    /// The run no longer holds the task: nothing was changed.
    Refused,
    /// The broker did not answer for the task's queue, though it did for others: whether it was applied is not known.
    /// Settle it again.
    Unanswered,
}
