//! The [`Inspection`] trait: what stands in a store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    BrokerError, Collection, DailyStats, GroupInfo, LockStanding, QueueInfo, Scan, ScanCursor, TaskDetail,
    Unreadable,
};
use crate::task::{QueueName, TaskId};

/// After so many bytes of messages and results a [scan](Inspection::scan) ends.
pub const SCAN_BYTES: usize = 2_000_000;

/// Reading what stands in a store. Nothing here changes anything, and no call holds the store for long.
#[async_trait]
pub trait Inspection: Send + Sync {
    /// The names of all queues that a task was ever sent to, sorted.
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError>;

    /// Whether a task was ever sent to this queue.
    async fn queue_exists(&self, queue: &QueueName) -> Result<bool, BrokerError>;

    /// A queue as it stands; one that does not exist is empty.
    async fn queue_info(&self, queue: &QueueName) -> Result<QueueInfo, BrokerError>;

    /// A queue as it stands, and its groups, sorted: for no more than either costs.
    async fn queue_with_groups(&self, queue: &QueueName) -> Result<(QueueInfo, Vec<GroupInfo>), BrokerError>;

    /// Many queues as they stand, in this order, without [`memory_usage`](QueueInfo::memory_usage): that costs more than
    /// all the rest.
    async fn queue_counts(&self, queues: &[QueueName]) -> Result<Vec<QueueInfo>, BrokerError>;

    /// What was processed on the last `days` days, today first.
    async fn history(&self, queue: &QueueName, days: usize) -> Result<Vec<DailyStats>, BrokerError>;

    /// The groups of a queue, sorted.
    async fn group_sizes(&self, queue: &QueueName) -> Result<Vec<GroupInfo>, BrokerError>;

    /// How many tasks a collection holds.
    async fn collection_size(&self, queue: &QueueName, collection: &Collection)
    -> Result<usize, BrokerError>;

    /// At most `limit` tasks of a collection from a cursor on; fewer where they are large, for no answer carries more than
    /// some [`SCAN_BYTES`], but for one task that does so by itself.
    async fn scan(
        &self,
        queue: &QueueName,
        collection: &Collection,
        from: &ScanCursor,
        limit: usize,
    ) -> Result<Scan, BrokerError>;

    /// All that is stored of tasks, each as it is at one moment; `None` for one that is not there.
    async fn copies(&self, queue: &QueueName, ids: &[TaskId]) -> Result<Vec<Option<TaskCopy>>, BrokerError>;

    /// All that is known of a task; `None` when there is none, and `Some(Err(_))` when it cannot be read.
    async fn task_detail(
        &self,
        queue: &QueueName,
        id: &TaskId,
    ) -> Result<Option<Result<TaskDetail, Unreadable>>, BrokerError>;
}

/// All that is stored of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCopy {
    /// The fields of its hash.
    pub fields: BTreeMap<String, Bytes>,
    /// Its score where its state says that it stands; none in a list.
    pub score: Option<i64>,
    /// What stands in the lock that its hash names.
    pub lock: Option<LockStanding>,
}
