//! The [`Changes`] trait: what an operator does to stored tasks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::{BrokerError, Collection, EnqueueError};
use crate::task::{QueueName, TaskId, TaskState, UniqueUntil};
use crate::wire::TaskMessage;

/// Changing what stands in a store, other than by running it. Each call is atomic and holds the store only briefly.
#[async_trait]
pub trait Changes: Send + Sync {
    /// Changes one task. Removing one of many pending tasks takes the store time in proportion to their number.
    async fn change(&self, queue: &QueueName, id: &TaskId, change: Change) -> Result<Changed, BrokerError>;

    /// Changes the first tasks of a collection other than active, at most `limit`.
    async fn change_first(
        &self,
        queue: &QueueName,
        collection: &Collection,
        change: Change,
        limit: usize,
    ) -> Result<ChangedMany, BrokerError>;

    /// Replaces the message of a task that is not run at present, and sets when it is due, if nobody has changed the
    /// message meanwhile.
    async fn edit(&self, queue: &QueueName, id: &TaskId, edit: &Edit) -> Result<Edited, BrokerError>;

    /// Stores a task in whatever state, such as one that comes from another queue.
    async fn adopt(&self, task: &Adoption) -> Result<(), EnqueueError>;

    /// Deletes a queue and all that belongs to it, in several steps: whoever looks meanwhile sees it empty. Once more
    /// where an earlier call did not come to its end.
    async fn delete_queue(&self, queue: &QueueName, force: bool) -> Result<QueueDeletion, BrokerError>;
}

/// What to do with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Make it pending.
    Run,
    /// Give it up.
    Archive,
    /// Delete it, and release its lock.
    Delete,
}

/// What became of a change to one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Applied,
    /// There is no such task.
    NotFound,
    /// The task is in a state that does not allow it.
    Refused(TaskState),
    /// An aggregator has the task in hand.
    Staged,
}

/// What became of a change to many tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangedMany {
    /// Tasks changed.
    pub changed: usize,
    /// IDs removed that had no task here.
    pub dropped: usize,
    /// How many the collection still holds.
    pub left: usize,
}

/// A new message for a task, and a new time.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The message that is replaced, byte for byte as it is stored.
    pub expected: Bytes,
    /// The new message; `None` leaves it as it is.
    pub message: Option<TaskMessage>,
    /// When it is due, Unix seconds; `None` leaves that as it is. One that waits for a retry goes on waiting for it;
    /// a pending or an archived one becomes scheduled.
    pub due: Option<i64>,
}

/// What became of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// It is done.
    Applied,
    /// There is no such task.
    NotFound,
    /// The message is not the expected one any more.
    Changed,
    /// The task is in a state that does not allow it.
    Refused(TaskState),
}

/// A task to be stored in whatever state.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// The message; its queue, ID and lock key say where it goes.
    pub message: TaskMessage,
    /// In which state: any but active.
    pub state: TaskState,
    /// When it is due, was given up, is to be dropped or came into its group, Unix seconds; no matter for a pending one.
    pub score: i64,
    /// What else its hash holds: its result, its group, fields of our own.
    pub fields: BTreeMap<String, Bytes>,
    /// How long the lock `message.unique_key` lasts, in seconds; 0 when it takes none.
    pub unique_ttl: i64,
    /// What ends the lock earlier.
    pub unique_until: UniqueUntil,
    /// Whether it takes the place of a task with its ID, unless that is being run or aggregated. Should the lock be that
    /// task's, it goes over.
    pub replace: bool,
}

impl Adoption {
    /// The group of one that is aggregating: as the hash is to say, or else the message.
    pub(super) fn group(&self) -> &str {
        let stored = self.fields.get("group").and_then(|group| std::str::from_utf8(group).ok());
        stored.unwrap_or(&self.message.group_key)
    }
}

/// What became of the deletion of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueDeletion {
    /// It is gone.
    Deleted,
    /// There is no such queue.
    NotFound,
    /// It holds this many tasks, and nobody said that they may go. Completed tasks do not count.
    NotEmpty(usize),
    /// This many of its tasks are being run.
    Busy(usize),
}
