//! The [`Processes`] trait: which servers and schedulers there are, what they tell, and where the store itself is.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{BrokerError, ClusterMember, StoreInfo};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, WorkerInfo};

/// Looking at the processes that share a store, and what they leave there for others to see.
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

    /// Leaves how long a server's runs took for others to [read](Self::run_times), in whatever form, for `ttl`: in place of
    /// what it left before. It outlives the server.
    async fn write_run_times(
        &self,
        info: &ServerInfo,
        times: &Bytes,
        ttl: Duration,
    ) -> Result<(), BrokerError>;

    /// What servers left of how long their runs took, each with its name (`<host>:<pid>:<id>`), in the order in which it
    /// will expire.
    async fn run_times(&self) -> Result<Vec<(String, Bytes)>, BrokerError>;

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

/// The name of a process, which stands in braces in its keys.
pub(super) fn process_name(key: &str) -> String {
    let name = key.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'));
    name.unwrap_or(key).to_owned()
}
