//! [`Waits`]: how somebody who waits for a task learns that a run of it has ended.
//!
//! A task is marked as waited for, in a key beside its queue; what ends a run takes the mark away and publishes the
//! task's key. Nothing is looked up for the tasks of a queue in which nobody waits, and nothing published.

use std::time::Duration;

use async_trait::async_trait;

use super::{BrokerError, Messages};
use crate::task::{QueueName, TaskId, TaskInfo};

/// How long a mark lasts, unless the task is watched again.
pub const WATCH: Duration = Duration::from_secs(40);

/// How long it is known of a task that somebody waited for, and that is not kept, that it has succeeded.
pub const DONE_AGE: Duration = Duration::from_secs(60);

/// How somebody who waits for a task learns that a run of it has ended.
#[async_trait]
pub trait Waits {
    /// Reads a task, and marks it as waited for unless it is completed or archived: the next end of a run within
    /// [`WATCH`] is published. So is its deletion or archiving by an operator. A mark serves for one message.
    ///
    /// What other programs than ours do to it is not published.
    async fn watch(&self, queue: &QueueName, id: &TaskId) -> Result<Watched, BrokerError>;

    /// Listens for what is published: keys of tasks, as [`QueueKeys::task`](crate::wire::keys::QueueKeys::task) names
    /// them.
    async fn run_ends(&self) -> Result<Box<dyn Messages>, BrokerError>;
}

/// What watching a task tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// The task as it stands.
    Stored(Box<TaskInfo>),
    /// It has succeeded while somebody waited, within [`DONE_AGE`], and was deleted, since it has no retention.
    Done,
    /// There is no such task.
    Missing,
}
