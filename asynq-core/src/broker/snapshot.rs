//! [`Snapshot`]: a task's stored parts, and how a [`TaskInfo`] is read from them. Pure.

use bytes::Bytes;

use crate::clock::from_unix_seconds;
use crate::task::{QueueName, TaskId, TaskInfo, TaskState, UnknownState};
use crate::wire::{DecodeError, TaskMessage};

/// A task's stored parts.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) message: Bytes,
    pub(super) state: String,
    pub(super) result: Option<Bytes>,
    /// The end of its lease, Unix seconds.
    pub(super) lease_until: Option<i64>,
    /// When it is due if scheduled or in retry, Unix seconds.
    pub(super) due: Option<i64>,
}

impl Snapshot {
    /// How many bytes message and result have.
    pub(super) fn size(&self) -> usize {
        self.message.len() + self.result.as_ref().map_or(0, Bytes::len)
    }
}

/// Why what is stored under an ID is no task that can be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Nothing is stored, or no message: the ID leads nowhere.
    #[error("no task is stored under this ID")]
    Missing,
    /// It is in no state that asynq knows.
    #[error("the stored task cannot be read")]
    State(#[from] UnknownState),
    /// Its message is none.
    #[error("the stored task cannot be read")]
    Message(#[from] DecodeError),
}

impl Snapshot {
    /// The task as it stands at this second.
    pub(super) fn into_info(
        self,
        queue: &QueueName,
        id: &TaskId,
        now_seconds: i64,
    ) -> Result<TaskInfo, Unreadable> {
        let state = self.state.parse::<TaskState>()?;
        self.into_info_in(state, queue, id, now_seconds)
    }

    /// The same for a task that stands in the collection of this state, whatever it says itself.
    pub(super) fn into_info_in(
        self,
        state: TaskState,
        queue: &QueueName,
        id: &TaskId,
        now_seconds: i64,
    ) -> Result<TaskInfo, Unreadable> {
        let message = TaskMessage::decode(self.message)?;
        let next_process_at = match state {
            TaskState::Pending => Some(now_seconds),
            TaskState::Scheduled | TaskState::Retry => self.due,
            _ => None,
        };
        let lease_is_over = self.lease_until.is_none_or(|until| until <= now_seconds);
        Ok(TaskInfo {
            id: id.clone(),
            queue: queue.clone(),
            next_process_at: next_process_at.map(from_unix_seconds),
            is_orphaned: state == TaskState::Active && lease_is_over,
            result: self.result,
            ..TaskInfo::stored(&message, state)
        })
    }
}
