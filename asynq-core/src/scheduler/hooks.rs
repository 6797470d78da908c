//! [`Hooks`]: the user's functions around each enqueuing. What they do, even a panic, disturbs nothing.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::EntryId;
use crate::background::guarded;
use crate::error::Error;
use crate::task::{Task, TaskInfo};

/// A tick that is about to be enqueued, or was.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Firing<'a> {
    /// The entry.
    pub entry: &'a EntryId,
    /// When the tick was due.
    pub scheduled_for: Timestamp,
    /// The task.
    pub task: &'a Task,
}

type Before = dyn Fn(&Firing<'_>) + Send + Sync;
type After = dyn Fn(&Firing<'_>, Result<&TaskInfo, &Error>) + Send + Sync;

/// The user's functions.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) before: Option<Arc<Before>>,
    pub(super) after: Option<Arc<After>>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("before", &self.before.is_some())
            .field("after", &self.after.is_some())
            .finish()
    }
}

impl Hooks {
    pub(super) fn before(&self, firing: &Firing<'_>) {
        if let Some(hook) = &self.before {
            guarded("the scheduler's hook before_enqueue", || hook(firing));
        }
    }

    pub(super) fn after(&self, firing: &Firing<'_>, result: Result<&TaskInfo, &Error>) {
        if let Some(hook) = &self.after {
            guarded("the scheduler's hook after_enqueue", || hook(firing, result));
        }
    }
}
