//! The [`Processes`] trait: which servers and schedulers there are, and where the store itself is.

use async_trait::async_trait;

use super::{BrokerError, ClusterMember, StoreInfo};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, WorkerInfo};

/// Looking at the processes that share a store.
#[async_trait]
pub trait Processes: Send + Sync {
    /// The servers whose state has not expired, each with the tasks it runs; in the order in which they will expire.
    async fn servers(&self) -> Result<Vec<(ServerInfo, Vec<WorkerInfo>)>, BrokerError>;

    /// The entries of all schedulers whose state has not expired.
    async fn scheduler_entries(&self) -> Result<Vec<SchedulerEntry>, BrokerError>;

    /// What a scheduler entry has enqueued, newest first.
    async fn enqueue_events(
        &self,
        entry_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<SchedulerEnqueueEvent>, BrokerError>;

    /// Forgets servers, workers and schedulers whose state has expired: how many entries.
    async fn remove_stale_processes(&self) -> Result<usize, BrokerError>;

    /// The slot of a queue's keys; `None` when the store is no cluster.
    async fn cluster_key_slot(&self, queue: &QueueName) -> Result<Option<u16>, BrokerError>;

    /// The nodes of the cluster that hold a queue's keys, the master first; `None` when the store is no cluster.
    async fn cluster_nodes(&self, queue: &QueueName) -> Result<Option<Vec<ClusterNode>>, BrokerError>;

    /// All nodes of the cluster; `None` when the store is no cluster.
    async fn cluster_members(&self) -> Result<Option<Vec<ClusterMember>>, BrokerError>;

    /// Where the store is, without passwords; `None` for one in memory.
    fn address(&self) -> Option<String> {
        None
    }

    /// What the store tells about itself.
    async fn store_info(&self) -> Result<StoreInfo, BrokerError>;
}

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterNode {
    /// Its ID; empty where the server does not tell.
    pub id: String,
    /// Host and port.
    pub address: String,
}
