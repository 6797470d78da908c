//! [`WaitError`]: why waiting for a task gave no result.

use std::time::Duration;

use crate::broker::BrokerError;
use crate::task::{BlankName, QueueName, TaskId, TaskState};

/// Why waiting for a task gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// It failed for good and is in the archive: an operator may still run it again.
    #[error("task `{id}` in queue `{queue}` failed after {retried} retries: {error}")]
    Failed {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// The text of its last error.
        error: String,
        /// How often it was retried.
        retried: i32,
    },
    /// It has no retention, so its result goes when it succeeds. Said before it has run, if it has not.
    #[error(
        "task `{id}` in queue `{queue}` keeps no result: give its job a retention (`retention = \"10m\"`, or \
         `.retention(..)` when it is enqueued), at least as long as anybody may take to read it"
    )]
    NoRetention {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// It is not there, and how it ended is not known.
    #[error(
        "task `{id}` is not in queue `{queue}`: revoked, deleted, never there, kept no longer, or without retention \
         and done before anybody waited"
    )]
    Gone {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// It succeeded, and its handler stored no result; one of Go's, say, that writes none.
    #[error("task `{id}` in queue `{queue}` succeeded, and its handler stored no result")]
    NoResult {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// It succeeded, and its result is not one of the type that was waited for.
    #[error("the result of task `{id}` in queue `{queue}` has the wrong form")]
    Undecodable {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The [time](super::Wait::timeout) is up, and the task goes on.
    #[error("task `{id}` in queue `{queue}` has not ended within {limit:?}: it is {state}")]
    TimedOut {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// The limit.
        limit: Duration,
        /// Its state when it was looked at last.
        state: TaskState,
    },
    /// The name of the queue, or the ID, can never be right.
    #[error(transparent)]
    InvalidName(#[from] BlankName),
    /// The broker refused, or did not answer: when waiting began, or when the time was up.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}
