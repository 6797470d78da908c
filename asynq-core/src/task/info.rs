//! [`TaskInfo`]: a task as it stands in the store.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::{Headers, QueueName, TaskId, TaskState, TaskType};
use crate::clock::from_unix_seconds;
use crate::wire::TaskMessage;

/// A task as it stands in the store: what enqueuing returns and what an inspector sees.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its ID.
    pub id: TaskId,
    /// Its queue.
    pub queue: QueueName,
    /// Its type.
    pub task_type: TaskType,
    /// Its payload; empty when it has none.
    pub payload: Bytes,
    /// Its headers.
    pub headers: Headers,
    /// Where it is.
    pub state: TaskState,
    /// How often it may be retried.
    pub max_retry: i32,
    /// How often it was retried.
    pub retried: i32,
    /// The text of its last error; empty when it never failed.
    pub last_error: String,
    /// When it last failed.
    pub last_failed_at: Option<Timestamp>,
    /// The time limit of one attempt; zero when only a deadline limits it.
    pub timeout: Duration,
    /// When it must be done.
    pub deadline: Option<Timestamp>,
    /// The group it waits in or came from; empty when it has none.
    pub group: String,
    /// When it will be ready to run: now for a pending task, nothing where that makes no sense.
    pub next_process_at: Option<Timestamp>,
    /// Whether it is active while its worker's lease has run out.
    pub is_orphaned: bool,
    /// How long it is kept after success.
    pub retention: Duration,
    /// When it was done.
    pub completed_at: Option<Timestamp>,
    /// What its handler wrote as the result, if anything.
    pub result: Option<Bytes>,
}

/// The names in a message.
pub(crate) struct Names {
    pub(crate) id: TaskId,
    pub(crate) queue: QueueName,
    pub(crate) task_type: TaskType,
}

impl TaskInfo {
    /// What a stored message tells; the rest as for a task that waits for nothing.
    pub(crate) fn stored(message: &TaskMessage, state: TaskState) -> Self {
        let names = Names {
            id: TaskId::stored(&message.id),
            queue: QueueName::stored(&message.queue),
            task_type: TaskType::stored(&message.task_type),
        };
        Self::named(names, message, state)
    }

    /// The same for a message with these names.
    pub(crate) fn named(names: Names, message: &TaskMessage, state: TaskState) -> Self {
        let Names { id, queue, task_type } = names;
        // Go may store a negative duration; none of them means anything.
        let duration = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        // Zero is how the format says "never".
        let instant = |seconds| (seconds != 0).then(|| from_unix_seconds(seconds));
        Self {
            id,
            queue,
            task_type,
            payload: message.payload.clone(),
            headers: message.headers.clone(),
            state,
            max_retry: message.retry,
            retried: message.retried,
            last_error: message.error_msg.clone(),
            last_failed_at: instant(message.last_failed_at),
            timeout: duration(message.timeout),
            deadline: instant(message.deadline),
            group: message.group_key.clone(),
            next_process_at: None,
            is_orphaned: false,
            retention: duration(message.retention),
            completed_at: instant(message.completed_at),
            result: None,
        }
    }
}
