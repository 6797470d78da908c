//! Servers, schedulers and the nodes of a cluster, as Redis knows them.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::Value;

use super::RedisBroker;
use super::reply::Reader;
use crate::broker::processes::process_name;
use crate::broker::{BrokerError, BrokerErrorKind, ClusterMember, ClusterNode, Processes, StoreInfo};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, WorkerInfo};

/// How many processes one round trip asks for.
const CHUNK: usize = 100;

#[async_trait]
impl Processes for RedisBroker {
    async fn servers(&self) -> Result<Vec<(ServerInfo, Vec<WorkerInfo>)>, BrokerError> {
        const DOING: &str = "list servers";
        let mut servers = Vec::new();
        for keys in self.living(self.keyspace.servers()).await?.chunks(CHUNK) {
            let states = self.each(DOING, "GET", keys, &[]).await?;
            servers.extend(states.into_iter().filter_map(|state| match state {
                Value::BulkString(bytes) => Some((ServerInfo::decode(bytes.as_slice()).ok()?, Vec::new())),
                _ => None,
            }));
        }
        for keys in self.living(self.keyspace.workers()).await?.chunks(CHUNK) {
            for state in self.each(DOING, "HVALS", keys, &[]).await? {
                for bytes in bulk(state) {
                    let Ok(worker) = WorkerInfo::decode(bytes.as_slice()) else { continue };
                    if let Some((_, workers)) =
                        servers.iter_mut().find(|(info, _)| info.server_id == worker.server_id)
                    {
                        workers.push(worker);
                    }
                }
            }
        }
        for (_, workers) in &mut servers {
            workers.sort_by(|one: &WorkerInfo, two| one.task_id.cmp(&two.task_id));
        }
        Ok(servers)
    }

    async fn scheduler_entries(&self) -> Result<Vec<SchedulerEntry>, BrokerError> {
        let mut entries = Vec::new();
        for keys in self.living(self.keyspace.schedulers()).await?.chunks(CHUNK) {
            for list in self.each("list scheduler entries", "LRANGE", keys, &["0", "-1"]).await? {
                entries.extend(
                    bulk(list).iter().filter_map(|bytes| SchedulerEntry::decode(bytes.as_slice()).ok()),
                );
            }
        }
        Ok(entries)
    }

    async fn enqueue_events(
        &self,
        entry_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<SchedulerEnqueueEvent>, BrokerError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let key = self.keyspace.scheduler_history(entry_id);
        let last = offset.saturating_add(limit - 1);
        let events: Vec<Vec<u8>> = self
            .shared
            .query("list enqueue events", redis::cmd("ZREVRANGE").arg(key).arg(offset).arg(last))
            .await?;
        Ok(events.iter().filter_map(|bytes| SchedulerEnqueueEvent::decode(bytes.as_slice()).ok()).collect())
    }

    async fn write_run_times(
        &self,
        info: &ServerInfo,
        times: &Bytes,
        ttl: Duration,
    ) -> Result<(), BrokerError> {
        let (set, now) = (self.keyspace.run_times(), self.now_seconds());
        let key = self.keyspace.server_run_times(&info.host, info.pid, &info.server_id);
        let ttl = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).clamp(1, super::script::LONGEST_TTL);
        let mut pipe = redis::pipe();
        pipe.cmd("ZADD").arg(&set).arg(now + ttl).arg(&key);
        pipe.cmd("ZREMRANGEBYSCORE").arg(&set).arg("-inf").arg(format!("({now}"));
        // Where nobody tells any more, nothing stays.
        pipe.cmd("EXPIRE").arg(&set).arg(ttl);
        pipe.cmd("SETEX").arg(&key).arg(ttl).arg(times.as_ref());
        self.shared.query_each::<Value>("write run times", &pipe).await.map(drop)
    }

    async fn run_times(&self) -> Result<Vec<(String, Bytes)>, BrokerError> {
        let mut all = Vec::new();
        for keys in self.living(self.keyspace.run_times()).await?.chunks(CHUNK) {
            let times = self.each("read run times", "GET", keys, &[]).await?;
            all.extend(keys.iter().zip(times).filter_map(|(key, times)| match times {
                Value::BulkString(bytes) => Some((process_name(&String::from_utf8_lossy(key)), bytes.into())),
                _ => None,
            }));
        }
        Ok(all)
    }

    async fn remove_stale_processes(&self) -> Result<usize, BrokerError> {
        let before = format!("({}", self.now_seconds());
        let mut pipe = redis::pipe();
        for set in [self.keyspace.servers(), self.keyspace.workers(), self.keyspace.schedulers()] {
            pipe.cmd("ZREMRANGEBYSCORE").arg(set).arg("-inf").arg(&before);
        }
        let removed: Vec<usize> = self.shared.query_each("remove stale processes", &pipe).await?;
        Ok(removed.into_iter().sum())
    }

    async fn cluster_key_slot(&self, queue: &QueueName) -> Result<Option<u16>, BrokerError> {
        let mut command = redis::cmd("CLUSTER");
        command.arg("KEYSLOT").arg(self.keyspace.queue(queue).pending());
        match self.of_cluster(&command).await? {
            None => Ok(None),
            Some(Value::Int(slot)) => {
                u16::try_from(slot).map(Some).or(Err(BrokerError::protocol("ask for a key slot")))
            }
            Some(_) => Err(BrokerError::protocol("ask for a key slot")),
        }
    }

    async fn cluster_nodes(&self, queue: &QueueName) -> Result<Option<Vec<ClusterNode>>, BrokerError> {
        const DOING: &str = "list cluster nodes";
        let Some(slot) = self.cluster_key_slot(queue).await? else { return Ok(None) };
        let mut command = redis::cmd("CLUSTER");
        command.arg("SLOTS");
        let Some(ranges) = self.of_cluster(&command).await? else { return Ok(None) };
        let mut ranges = Reader::new(ranges, DOING)?;
        while !ranges.is_empty() {
            let mut range = ranges.list()?;
            let (first, last) = (range.integer()?, range.integer()?);
            if !(first..=last).contains(&i64::from(slot)) {
                continue;
            }
            let mut nodes = Vec::new();
            while !range.is_empty() {
                let mut node = range.list()?;
                // Host, port, and since Redis 4 the ID.
                let host = node.optional_bytes()?.unwrap_or_default();
                let address = format!("{}:{}", String::from_utf8_lossy(&host), node.integer()?);
                let id = if node.is_empty() { String::new() } else { node.text()? };
                nodes.push(ClusterNode { id, address });
            }
            return Ok(Some(nodes));
        }
        Ok(Some(Vec::new()))
    }

    async fn cluster_members(&self) -> Result<Option<Vec<ClusterMember>>, BrokerError> {
        let mut command = redis::cmd("CLUSTER");
        command.arg("NODES");
        match self.of_cluster(&command).await? {
            None => Ok(None),
            Some(Value::BulkString(text)) => {
                Ok(Some(ClusterMember::read_all(&String::from_utf8_lossy(&text))))
            }
            Some(Value::VerbatimString { text, .. }) => Ok(Some(ClusterMember::read_all(&text))),
            Some(_) => Err(BrokerError::protocol("list cluster nodes")),
        }
    }

    fn address(&self) -> Option<String> {
        Some(self.options.address.to_string())
    }

    async fn store_info(&self) -> Result<StoreInfo, BrokerError> {
        let mut text: String = self.shared.query("ask what the server is", &redis::cmd("INFO")).await?;
        if text.lines().any(|line| line.trim() == "cluster_enabled:1")
            && let Some(Value::BulkString(cluster)) =
                self.of_cluster(redis::cmd("CLUSTER").arg("INFO")).await?
        {
            text.push_str(&String::from_utf8_lossy(&cluster));
        }
        let pairs = text.lines().filter_map(|line| line.trim().split_once(':'));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl RedisBroker {
    /// The members of a set of processes that have not expired.
    async fn living(&self, set: String) -> Result<Vec<Vec<u8>>, BrokerError> {
        let now = self.now_seconds();
        self.shared.query("list processes", redis::cmd("ZRANGEBYSCORE").arg(set).arg(now).arg("+inf")).await
    }

    /// The same read command on several keys, each in a slot of its own.
    async fn each(
        &self,
        doing: &'static str,
        command: &str,
        keys: &[Vec<u8>],
        args: &[&str],
    ) -> Result<Vec<Value>, BrokerError> {
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd(command).arg(key.as_slice()).arg(args);
        }
        self.shared.query_each(doing, &pipe).await
    }

    /// What a cluster answers; `None` when this is none.
    async fn of_cluster(&self, command: &redis::Cmd) -> Result<Option<Value>, BrokerError> {
        let answer = self.shared.query("ask the cluster", command);
        match answer.await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == BrokerErrorKind::Refused => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn bulk(list: Value) -> Vec<Vec<u8>> {
    let Value::Array(values) = list else { return Vec::new() };
    values
        .into_iter()
        .filter_map(|value| match value {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        })
        .collect()
}
