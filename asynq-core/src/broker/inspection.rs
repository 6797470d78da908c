//! The [`Inspection`] trait: what stands in a store.

use async_trait::async_trait;

use super::{
    BrokerError, Collection, DailyStats, GroupInfo, QueueInfo, Scan, ScanCursor, TaskDetail, Unreadable,
};
use crate::task::{QueueName, TaskId};

/// Reading what stands in a store. Nothing here changes anything, and no call holds the store for long.
#[async_trait]
pub trait Inspection: Send + Sync {
    /// The names of all queues that a task was ever sent to, sorted.
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError>;

    /// Whether a task was ever sent to this queue.
    async fn queue_exists(&self, queue: &QueueName) -> Result<bool, BrokerError>;

    /// A queue as it stands; one that does not exist is empty.
    async fn queue_info(&self, queue: &QueueName) -> Result<QueueInfo, BrokerError>;

    /// Many queues as they stand, in this order, without [`memory_usage`](QueueInfo::memory_usage): that costs more than
    /// all the rest.
    async fn queue_counts(&self, queues: &[QueueName]) -> Result<Vec<QueueInfo>, BrokerError>;

    /// What was processed on the last `days` days, today first.
    async fn history(&self, queue: &QueueName, days: usize) -> Result<Vec<DailyStats>, BrokerError>;

    /// The groups of a queue, sorted.
    async fn group_sizes(&self, queue: &QueueName) -> Result<Vec<GroupInfo>, BrokerError>;

    /// At most `limit` tasks of a collection from a cursor on.
    async fn scan(
        &self,
        queue: &QueueName,
        collection: &Collection,
        from: &ScanCursor,
        limit: usize,
    ) -> Result<Scan, BrokerError>;

    /// All that is known of a task; `None` when there is none, and `Some(Err(_))` when it cannot be read.
    async fn task_detail(
        &self,
        queue: &QueueName,
        id: &TaskId,
    ) -> Result<Option<Result<TaskDetail, Unreadable>>, BrokerError>;
}
