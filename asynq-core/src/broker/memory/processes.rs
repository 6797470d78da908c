//! Servers and schedulers, as the store knows them. A store in memory has no nodes.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryBroker;
use crate::broker::{Broker, BrokerError, ClusterMember, ClusterNode, Processes, StoreInfo};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, WorkerInfo};

#[async_trait]
impl Processes for MemoryBroker {
    async fn servers(&self) -> Result<Vec<(ServerInfo, Vec<WorkerInfo>)>, BrokerError> {
        let now = self.now();
        Ok(self.shared().lock().living_servers(now))
    }

    async fn scheduler_entries(&self) -> Result<Vec<SchedulerEntry>, BrokerError> {
        let now = self.now();
        let mut store = self.shared().lock();
        store.schedulers.drop_expired(now);
        let alive = store.schedulers.known.up_to(i64::MAX, usize::MAX);
        let alive = alive.into_iter().filter(|(_, until)| *until >= now.seconds);
        let entries = alive.filter_map(|(key, _)| store.schedulers.entries.get(&key));
        Ok(entries
            .flat_map(|entries| &entries.value)
            .filter_map(|bytes| SchedulerEntry::decode(bytes.clone()).ok())
            .collect())
    }

    async fn enqueue_events(
        &self,
        entry_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<SchedulerEnqueueEvent>, BrokerError> {
        let key = self.keyspace().scheduler_history(entry_id);
        let now = self.now();
        let mut store = self.shared().lock();
        store.schedulers.drop_expired(now);
        let Some(history) = store.schedulers.histories.get(&key) else { return Ok(Vec::new()) };
        let latest_first = history.value.iter().rev().skip(offset).take(limit);
        Ok(latest_first.filter_map(|(_, bytes)| SchedulerEnqueueEvent::decode(bytes.clone()).ok()).collect())
    }

    async fn write_run_times(
        &self,
        info: &ServerInfo,
        times: &Bytes,
        ttl: Duration,
    ) -> Result<(), BrokerError> {
        let key = self.keyspace().server_run_times(&info.host, info.pid, &info.server_id);
        let ttl_seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).max(1);
        let now = self.now();
        self.shared().lock().run_times.write(key, times.clone(), ttl_seconds, now);
        Ok(())
    }

    async fn run_times(&self) -> Result<Vec<(String, Bytes)>, BrokerError> {
        let now = self.now();
        Ok(self.shared().lock().run_times.read(now))
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

    async fn cluster_members(&self) -> Result<Option<Vec<ClusterMember>>, BrokerError> {
        Ok(None)
    }

    async fn store_info(&self) -> Result<StoreInfo, BrokerError> {
        Ok(StoreInfo::default())
    }
}
