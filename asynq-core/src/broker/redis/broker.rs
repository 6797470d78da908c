//! [`RedisBroker`]: the broker trait on Redis.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::Value;

use super::dial::Answers;
use super::eager::Look;
use super::gather::Gathering;
use super::later_changes::RedisLaterChanges;
use super::link::{Link, Store};
use super::messages::RedisMessages;
use super::options::ConnectOptions;
use super::reply::{Reader, score};
use super::script::{Call, Name};
use super::waiter::RedisWaiter;
use crate::broker::snapshot::Snapshot;
use crate::broker::{
    ActiveTask, ArchiveLimits, Broker, BrokerError, BrokerErrorKind, Demand, EnqueueError, Exchanged,
    Forwarded, LaterChanges, LeaseRef, Messages, NewTask, OwnerBeat, Place, Settlement, Waiter,
};
use crate::clock::Clock;
use crate::error::{Error, Result as PublicResult};
use crate::task::{QueueName, TaskId, TaskInfo};
use crate::wire::keys::{Keyspace, QueueKeys};
use crate::wire::{ServerInfo, WorkerInfo};

/// How many running tasks one command of a server's state tells: Redis takes a million arguments at most.
const WORKERS_PER_COMMAND: usize = 1_000;

/// Tasks in Redis, in Go asynq's format.
#[derive(Clone)]
pub struct RedisBroker {
    pub(super) options: Arc<ConnectOptions>,
    pub(super) store: Store,
    /// Clients' and housekeeping calls. Everything sent at the same time travels together.
    pub(super) shared: Arc<Link>,
    /// Exchanges, which carry whole batches, go their own way: nothing else waits behind them.
    pub(super) exchange: Arc<Link>,
    /// New tasks, where replicas are waited for: nothing else waits with them.
    pub(super) replicated: Option<Arc<Link>>,
    /// New tasks that are about to leave together.
    pub(super) gathering: Arc<Gathering>,
    /// Whether messages of the tasks that were leased last were long, as those of the next may be.
    pub(super) are_long: Arc<AtomicBool>,
    pub(super) keyspace: Keyspace,
    pub(super) clock: Clock,
    pub(super) archive_limits: ArchiveLimits,
}

impl RedisBroker {
    /// Connects and asks the server whether it answers.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`] says which part of the URL is wrong; [`Error::Connect`] which address does not answer,
    /// or does not let us in.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn connect(url: &str, clock: Clock) -> PublicResult<Self> {
        Self::connect_with(ConnectOptions::new(url)?, clock).await
    }

    /// As [`connect`](Self::connect), with more to say than a URL can.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect); and [`Error::InvalidSetting`] for an option that can never be right.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn connect_with(options: ConnectOptions, clock: Clock) -> PublicResult<Self> {
        Self::connecting(options, clock)?.answering().await
    }

    /// As [`connect_with`](Self::connect_with), but it connects when it is first used, and at each use until it has: the
    /// program starts whether or not Redis is there. Until then every call fails.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for an option that can never be right.
    pub fn connecting(options: ConnectOptions, clock: Clock) -> PublicResult<Self> {
        Ok(Self::new(Store::new(&options)?, Arc::new(options), clock))
    }

    /// As [`connect_with`](Self::connect_with), on a connection that the program already has, of the crate `redis` in
    /// the version that asynq uses: calls travel on it beside those of the program. What blocks or carries whole
    /// batches goes over connections of its own, made as the options say; and so does everything once the given one
    /// breaks.
    ///
    /// # Errors
    ///
    /// As [`connect_with`](Self::connect_with).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn connect_sharing(
        connection: redis::aio::MultiplexedConnection,
        options: ConnectOptions,
        clock: Clock,
    ) -> PublicResult<Self> {
        let broker = Self::new(Store::new(&options)?, Arc::new(options), clock);
        let Link::Server(shared) = &*broker.shared else {
            let reason = "a connection leads to one server, and not to a cluster".to_owned();
            return Err(Error::InvalidSetting { name: "connection", reason });
        };
        shared.begin_with(connection);
        broker.answering().await
    }

    async fn answering(self) -> PublicResult<Self> {
        match self.ping().await {
            Ok(()) => Ok(self),
            Err(source) => Err(Error::Connect { address: self.options.address.to_string(), source }),
        }
    }

    fn new(store: Store, options: Arc<ConnectOptions>, clock: Clock) -> Self {
        let response = options.response_timeout;
        let link = |answers| Arc::new(store.link(answers, options.max_waiting));
        Self {
            shared: link(Answers::within(response)),
            // What it leases runs on other threads, too.
            exchange: link(Answers { within: response, look: Look::WithOthers }),
            replicated: options
                .replicas
                .map(|replicas| link(Answers::within(response.saturating_add(replicas.within)))),
            gathering: Arc::new(Gathering::new(options.max_waiting)),
            are_long: Arc::default(),
            keyspace: options.keyspace.clone(),
            store,
            options,
            clock,
            archive_limits: ArchiveLimits::default(),
        }
    }

    /// Deletes tasks of a collection, the first of the keys, whose scores are `up_to` or less. No script runs where there are
    /// none.
    async fn delete_expired(
        &self,
        call_keys: Vec<String>,
        keys: &QueueKeys,
        up_to: i64,
        limit: usize,
    ) -> Result<usize, BrokerError> {
        const DOING: &str = "delete expired tasks";
        let mut command = redis::cmd("ZRANGE");
        command.arg(call_keys.first()).arg(0).arg(0).arg("WITHSCORES");
        let lowest: Vec<Vec<u8>> = self.shared.query(DOING, &command).await?;
        if lowest.get(1).and_then(|text| score(text)).is_none_or(|lowest| lowest > up_to) {
            return Ok(0);
        }
        let mut call = Call::new(Name::delete_expired, call_keys);
        call.arg(up_to).arg(keys.task_prefix()).arg(limit);
        match call.run(&self.shared, DOING).await? {
            Value::Int(deleted) => usize::try_from(deleted).or(Err(BrokerError::protocol(DOING))),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    pub(super) fn now_seconds(&self) -> i64 {
        self.clock.unix_seconds()
    }
}

impl fmt::Debug for RedisBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBroker")
            .field("address", &self.options.address.to_string())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Broker for RedisBroker {
    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    fn for_other_runtime(&self) -> Option<Arc<dyn Broker>> {
        // A connection is driven by the runtime that made it; a new one is made where it is first used.
        let broker = Self::new(self.store.clone(), Arc::clone(&self.options), self.clock.clone());
        Some(Arc::new(Self { archive_limits: self.archive_limits, ..broker }))
    }

    fn with_archive_limits(&self, limits: ArchiveLimits) -> Arc<dyn Broker> {
        Arc::new(Self { archive_limits: limits, ..self.clone() })
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.shared.ping().await
    }

    async fn enqueue(&self, tasks: &[NewTask]) -> Vec<Result<(), EnqueueError>> {
        self.enqueue_by_queue(tasks).await
    }

    async fn exchange(&self, settle: &[Settlement], demand: &Demand) -> Result<Exchanged, BrokerError> {
        if self.store.is_cluster() {
            self.exchange_by_queue(settle, demand).await
        } else {
            self.exchange_at_once(settle, demand).await
        }
    }

    fn waiter(&self, queues: &[QueueName]) -> Box<dyn Waiter> {
        Box::new(RedisWaiter::new(&self.store, self.options.response_timeout, queues, |queue| {
            self.keyspace.queue(queue).pending()
        }))
    }

    async fn extend_leases(
        &self,
        queue: &QueueName,
        runs: &[LeaseRef],
        until: i64,
    ) -> Result<Vec<bool>, BrokerError> {
        const DOING: &str = "extend leases";
        let keys = self.keyspace.queue(queue);
        let mut extended = Vec::with_capacity(runs.len());
        for runs in runs.chunks(500) {
            let mut call = Call::new(Name::extend, [keys.lease()]);
            call.arg(keys.task_prefix()).arg(until);
            for LeaseRef { id, run } in runs {
                call.arg(id.as_str()).arg(run.as_str());
            }
            let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
            for _ in runs {
                extended.push(answer.integer()? == 1);
            }
        }
        Ok(extended)
    }

    async fn occupied(&self, place: Place, queues: &[QueueName]) -> Result<Vec<QueueName>, BrokerError> {
        const DOING: &str = "look for something to do";
        let keys: Vec<_> = queues.iter().map(|queue| keys_of(place, &self.keyspace.queue(queue))).collect();
        if queues.is_empty() {
            return Ok(Vec::new());
        }
        // In a cluster the keys of two queues share no command.
        if matches!(*self.shared, Link::Server(_)) || queues.len() == 1 {
            let mut all = redis::cmd("EXISTS");
            all.arg(keys.concat());
            if self.shared.query::<u64>(DOING, &all).await? == 0 {
                return Ok(Vec::new());
            }
            if let [queue] = queues {
                return Ok(vec![queue.clone()]);
            }
        }
        let mut pipe = redis::pipe();
        for keys in keys {
            pipe.cmd("EXISTS").arg(keys);
        }
        let found: Vec<u64> = self.shared.query_each(DOING, &pipe).await?;
        Ok(queues.iter().zip(found).filter(|(_, found)| *found > 0).map(|(queue, _)| queue.clone()).collect())
    }

    async fn forward(&self, queue: &QueueName) -> Result<Forwarded, BrokerError> {
        const DOING: &str = "forward";
        let keys = self.keyspace.queue(queue);
        let now = self.now_seconds();
        // Most looks find nothing due: two plain reads tell, and the script runs only when something is.
        let mut pipe = redis::pipe();
        for zset in [keys.scheduled(), keys.retry()] {
            pipe.cmd("ZRANGE").arg(zset).arg(0).arg(0).arg("WITHSCORES");
        }
        let earliest: Vec<Vec<Vec<u8>>> = self.shared.query_each(DOING, &pipe).await?;
        let next_due = earliest.iter().filter_map(|row| score(row.get(1)?)).min();
        if next_due.is_none_or(|due| due > now) {
            return Ok(Forwarded { moved: 0, next_due });
        }
        let mut call =
            Call::new(Name::forward, [keys.scheduled(), keys.retry(), keys.pending(), keys.groups()]);
        call.arg(now).arg(self.clock.unix_nanos()).arg(keys.task_prefix()).arg(keys.group_prefix());
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        Ok(Forwarded { moved: answer.count()?, next_due: score(&answer.bytes()?) })
    }

    async fn later_changes(
        &self,
        queues: &[QueueName],
    ) -> Result<Option<Box<dyn LaterChanges>>, BrokerError> {
        let sets = |queue| {
            let keys = self.keyspace.queue(queue);
            [keys.scheduled(), keys.retry()]
        };
        let sets = queues.iter().flat_map(sets).collect();
        match RedisLaterChanges::watch(&self.store, self.options.response_timeout, sets).await {
            Ok(changes) => Ok(Some(Box::new(changes))),
            Err(error) if error.kind() == BrokerErrorKind::Unavailable => Err(error),
            // Redis before 6, or a program between that knows nothing of it, or it is not permitted.
            Err(error) => {
                tracing::debug!(%error, "cannot be told of what is scheduled");
                Ok(None)
            }
        }
    }

    async fn beat(&self, server_id: &str, queues: &[QueueName]) -> Result<(), BrokerError> {
        if queues.is_empty() {
            return Ok(());
        }
        let now = self.now_seconds();
        let mut pipe = redis::pipe();
        for queue in queues {
            pipe.cmd("ZADD").arg(self.keyspace.queue(queue).owners()).arg(now).arg(server_id);
        }
        self.shared.query_each::<Value>("beat", &pipe).await.map(drop)
    }

    async fn beats(&self, queues: &[QueueName]) -> Result<Vec<Vec<OwnerBeat>>, BrokerError> {
        const DOING: &str = "read beats";
        if queues.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = redis::pipe();
        for queue in queues {
            pipe.cmd("ZRANGE").arg(self.keyspace.queue(queue).owners()).arg(0).arg(-1).arg("WITHSCORES");
        }
        let rows: Vec<Value> = self.shared.query_each(DOING, &pipe).await?;
        rows.into_iter()
            .map(|row| {
                let mut row = Reader::new(row, DOING)?;
                let mut beats = Vec::with_capacity(row.len() / 2);
                while !row.is_empty() {
                    beats.push(OwnerBeat {
                        server_id: row.text()?,
                        at: score(&row.bytes()?).ok_or(BrokerError::protocol(DOING))?,
                    });
                }
                Ok(beats)
            })
            .collect()
    }

    async fn retire(&self, server_ids: &[&str], queues: &[QueueName]) -> Result<(), BrokerError> {
        if server_ids.is_empty() || queues.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for queue in queues {
            pipe.cmd("ZREM").arg(self.keyspace.queue(queue).owners()).arg(server_ids);
        }
        self.shared.query_each::<Value>("retire servers", &pipe).await.map(drop)
    }

    async fn expiring_leases(
        &self,
        queue: &QueueName,
        until: i64,
        limit: usize,
    ) -> Result<Vec<ActiveTask>, BrokerError> {
        self.active_until(queue, until, limit).await
    }

    async fn owned_by(
        &self,
        queue: &QueueName,
        server_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ActiveTask>, usize), BrokerError> {
        self.active_of(queue, server_id, offset, limit).await
    }

    async fn mend_active(
        &self,
        queue: &QueueName,
        offset: usize,
        limit: usize,
    ) -> Result<(usize, usize), BrokerError> {
        const DOING: &str = "mend active tasks";
        if limit == 0 {
            return Ok((0, 0));
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::mend, [keys.active(), keys.lease()]);
        call.arg(keys.task_prefix()).arg(self.now_seconds()).arg(offset).arg(limit);
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        Ok((answer.count()?, answer.count()?))
    }

    async fn write_result(
        &self,
        queue: &QueueName,
        id: &TaskId,
        result: &Bytes,
    ) -> Result<bool, BrokerError> {
        const DOING: &str = "write a result";
        let mut call = Call::new(Name::write_result, [self.keyspace.queue(queue).task(id.as_str())]);
        call.arg(result.as_ref());
        Ok(call.run(&self.shared, DOING).await? == Value::Int(1))
    }

    async fn delete_expired_completed(&self, queue: &QueueName, limit: usize) -> Result<usize, BrokerError> {
        let keys = self.keyspace.queue(queue);
        self.delete_expired(vec![keys.completed()], &keys, self.now_seconds(), limit).await
    }

    async fn delete_expired_archived(&self, queue: &QueueName, limit: usize) -> Result<usize, BrokerError> {
        let keys = self.keyspace.queue(queue);
        let cutoff = self.archive_limits.cutoff(self.now_seconds());
        self.delete_expired(vec![keys.archived(), keys.trimmed()], &keys, cutoff, limit).await
    }

    async fn write_server_state(
        &self,
        info: &ServerInfo,
        workers: &[WorkerInfo],
        ttl: Duration,
    ) -> Result<(), BrokerError> {
        const DOING: &str = "write the server's state";
        let (server_key, workers_key) = self.state_keys(info);
        // Redis knows no shorter expiry in whole seconds.
        let ttl = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).clamp(1, super::script::LONGEST_TTL);
        let expires = self.now_seconds() + ttl;
        let mut pipe = redis::pipe();
        pipe.cmd("ZADD").arg(self.keyspace.servers()).arg(expires).arg(&server_key);
        pipe.cmd("ZADD").arg(self.keyspace.workers()).arg(expires).arg(&workers_key);
        self.shared.query_each::<Value>(DOING, &pipe).await?;
        let server = redis::cmd("SETEX").arg(server_key).arg(ttl).arg(info.encode()).take();
        let nothing = redis::cmd("DEL").arg(&workers_key).take();
        if workers.is_empty() {
            let mut pipe = redis::pipe();
            pipe.add_command(server).add_command(nothing);
            return self.shared.query_each::<Value>(DOING, &pipe).await.map(drop);
        }
        let mut commands = vec![server, nothing];
        for workers in workers.chunks(WORKERS_PER_COMMAND) {
            let mut command = redis::cmd("HSET");
            command.arg(&workers_key);
            for worker in workers {
                command.arg(&worker.task_id).arg(worker.encode());
            }
            commands.push(command);
        }
        commands.push(redis::cmd("EXPIRE").arg(workers_key).arg(ttl).take());
        // At once: who looks meanwhile must not see a server that runs nothing.
        self.shared.query_atomic::<Value>(DOING, commands).await.map(drop)
    }

    async fn clear_server_state(&self, info: &ServerInfo) -> Result<(), BrokerError> {
        let (server_key, workers_key) = self.state_keys(info);
        let mut pipe = redis::pipe();
        pipe.cmd("ZREM").arg(self.keyspace.servers()).arg(&server_key);
        pipe.cmd("ZREM").arg(self.keyspace.workers()).arg(&workers_key);
        pipe.cmd("DEL").arg(&server_key).arg(&workers_key);
        self.shared.query_each::<Value>("clear the server's state", &pipe).await.map(drop)
    }

    async fn publish_cancellation(&self, id: &TaskId) -> Result<(), BrokerError> {
        let channel = self.keyspace.cancel_channel();
        self.shared.query("publish a cancellation", redis::cmd("PUBLISH").arg(channel).arg(id.as_str())).await
    }

    async fn cancellations(&self) -> Result<Box<dyn Messages>, BrokerError> {
        let channel = self.keyspace.cancel_channel();
        Ok(Box::new(RedisMessages::subscribe(&self.store, &channel).await?))
    }

    async fn pause(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        let key = self.keyspace.queue(queue).paused();
        let now = self.now_seconds();
        self.shared.query("pause a queue", redis::cmd("SETNX").arg(key).arg(now)).await
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        let key = self.keyspace.queue(queue).paused();
        self.shared.query("resume a queue", redis::cmd("DEL").arg(key)).await
    }

    async fn task_info(&self, queue: &QueueName, id: &TaskId) -> Result<Option<TaskInfo>, BrokerError> {
        const DOING: &str = "read a task";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(Name::task_info, [keys.task(id.as_str()), keys.lease()]);
        call.arg(id.as_str()).arg(keys.prefix());
        let answer = call.run(&self.shared, DOING).await?;
        if answer == Value::Nil {
            return Ok(None);
        }
        self.read_task(answer, queue, id, DOING).map(Some)
    }
}

impl RedisBroker {
    /// A task, from what the scripts say that begin with `read_task.lua`.
    pub(super) fn read_task(
        &self,
        answer: Value,
        queue: &QueueName,
        id: &TaskId,
        doing: &'static str,
    ) -> Result<TaskInfo, BrokerError> {
        let mut row = Reader::new(answer, doing)?;
        let snapshot = Snapshot {
            message: row.bytes()?,
            state: row.text()?,
            result: row.optional_bytes()?,
            due: score(&row.bytes()?),
            lease_until: score(&row.bytes()?),
        };
        let info = snapshot.into_info(queue, id, self.now_seconds());
        info.map_err(|error| BrokerError::new(BrokerErrorKind::Protocol, doing, error))
    }

    fn state_keys(&self, info: &ServerInfo) -> (String, String) {
        (
            self.keyspace.server_info(&info.host, info.pid, &info.server_id),
            self.keyspace.server_workers(&info.host, info.pid, &info.server_id),
        )
    }
}

/// The keys that say whether a place of a queue is occupied.
fn keys_of(place: Place, keys: &QueueKeys) -> Vec<String> {
    match place {
        Place::Later => vec![keys.scheduled(), keys.retry()],
        Place::Active => vec![keys.active()],
        Place::Ended => vec![keys.completed(), keys.archived()],
        Place::Groups => vec![keys.groups(), keys.aggregation_sets()],
        Place::Servers => vec![keys.owners()],
    }
}
