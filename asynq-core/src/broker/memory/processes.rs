//! Servers, as the store knows them. A store in memory has no nodes.

use async_trait::async_trait;

use super::MemoryBroker;
use crate::broker::{BrokerError, ClusterNode, Processes};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, WorkerInfo};

#[async_trait]
impl Processes for MemoryBroker {
    async fn servers(&self) -> Result<Vec<(ServerInfo, Vec<WorkerInfo>)>, BrokerError> {
        let now = self.now();
        Ok(self.shared().lock().living_servers(now))
    }

    async fn scheduler_entries(&self) -> Result<Vec<SchedulerEntry>, BrokerError> {
        Ok(Vec::new())
    }

    async fn enqueue_events(
        &self,
        _entry_id: &str,
        _offset: usize,
        _limit: usize,
    ) -> Result<Vec<SchedulerEnqueueEvent>, BrokerError> {
        Ok(Vec::new())
    }

    async fn remove_stale_processes(&self) -> Result<usize, BrokerError> {
        let now = self.now();
        Ok(self.shared().lock().remove_stale(now))
    }

    async fn cluster_key_slot(&self, _queue: &QueueName) -> Result<Option<u16>, BrokerError> {
        Ok(None)
    }

    async fn cluster_nodes(&self, _queue: &QueueName) -> Result<Option<Vec<ClusterNode>>, BrokerError> {
        Ok(None)
    }
}
