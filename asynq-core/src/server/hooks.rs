//! [`Hooks`]: the user's functions that are told how runs end.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::background::guarded;
use crate::broker::Transition;
use crate::clock::from_unix_seconds;
use crate::task::{QueueName, TaskId, TaskInfo, TaskState};
use crate::wire::TaskMessage;

/// How a run of a task ended.
///
/// It is told once: by the server that ran the task, when its handler has ended and before that is written; for a task
/// whose worker died, by the server that recovered it. What a handler returns after its server has lost the task is told
/// and not counted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended<'a> {
    /// The task as it was taken: queue, ID, type, payload, headers, retries.
    pub task: TaskInfo,
    /// What went wrong; `None` after a success. It may be an error of ours, such as
    /// [`DeadlineExceeded`](super::DeadlineExceeded), [`Panicked`](super::Panicked), [`LeaseExpired`](super::LeaseExpired)
    /// or [`WorkerDied`](super::WorkerDied).
    pub error: Option<&'a (dyn Error + Send + Sync + 'static)>,
    /// What becomes of the task.
    pub fate: Fate,
    /// How long it ran; `None` where nobody knows.
    pub took: Option<Duration>,
}

/// What becomes of a task when a run of it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Nowhere: it succeeded, or was revoked.
    Deleted,
    /// It is kept for its retention.
    Completed,
    /// It will be tried again then, and a retry is used up.
    Retry(Timestamp),
    /// It will be tried again then, and no retry is used up.
    PutBack(Timestamp),
    /// Back to the front of its queue: its worker died.
    Pending,
    /// It is given up.
    Archived,
}

impl Fate {
    pub(super) fn of(transition: &Transition) -> Self {
        match transition {
            Transition::Done { .. } | Transition::Revoke { .. } => Self::Deleted,
            Transition::Complete { .. } => Self::Completed,
            Transition::Retry { at, is_failure: true, .. } => Self::Retry(from_unix_seconds(*at)),
            Transition::Retry { at, .. } | Transition::PutBack { at, .. } => {
                Self::PutBack(from_unix_seconds(*at))
            }
            Transition::Requeue { .. } => Self::Pending,
            Transition::Archive { .. } => Self::Archived,
        }
    }
}

/// A function that is told how runs end.
pub(super) type OnEnd = Arc<dyn Fn(&Ended<'_>) + Send + Sync>;

/// The functions of a server that are told, in the order in which they were given.
#[derive(Clone, Default)]
pub(super) struct Hooks(Vec<OnEnd>);

impl Hooks {
    pub(super) fn add(&mut self, hook: OnEnd) {
        self.0.push(hook);
    }

    /// Tells all of them; a panic of one is logged. Nothing is made up for nobody.
    pub(super) fn tell<'a>(&self, ended: impl FnOnce() -> Ended<'a>) {
        if self.0.is_empty() {
            return;
        }
        let ended = ended();
        for hook in &self.0 {
            guarded("a hook of the server", || hook(&ended));
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({})", self.0.len())
    }
}

/// A task as a run took it, for hooks.
pub(super) fn taken(message: &TaskMessage) -> TaskInfo {
    TaskInfo::stored(message, TaskState::Active)
}

/// A task of which no more is known, for hooks.
pub(super) fn unreadable_task(queue: &QueueName, id: &TaskId) -> TaskInfo {
    TaskInfo { queue: queue.clone(), id: id.clone(), ..taken(&TaskMessage::default()) }
}
