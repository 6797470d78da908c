//! [`Scan`]: some tasks of a collection, and where to go on.

use crate::task::{TaskId, TaskInfo};

use super::Unreadable;

/// Some tasks of a collection, in its order.
#[derive(Debug, Default)]
pub struct Scan {
    /// The tasks; there may be none although more follow.
    pub tasks: Vec<Listed>,
    /// Where to go on; `None` at the end.
    pub next: Option<ScanCursor>,
}

/// An ID that stands in a collection, and its task.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The ID.
    pub id: TaskId,
    /// The task, in the state of the collection, if it can be read.
    pub task: Result<TaskInfo, Unreadable>,
}

/// A place in a collection that other processes change meanwhile.
///
/// It knows the tasks that were read last and finds its way by those that are still there. So a task that stays where
/// it is, is never passed over; one may come twice where tasks were moved or removed.
#[derive(Clone, Debug, Default)]
pub struct ScanCursor {
    /// How many tasks come before it, as far as is known.
    pub(super) offset: usize,
    /// What was read last, in order: IDs with their scores as they are stored.
    pub(super) anchors: Vec<(TaskId, String)>,
}

impl ScanCursor {
    /// The place behind the first `offset` tasks.
    pub fn at(offset: usize) -> Self {
        Self { offset, anchors: Vec::new() }
    }
}
