//! [`RedisFixture`]: the fixture of the conformance suite on a Redis server, or on a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use asynq_core::broker::Broker;
use asynq_core::broker::conformance::{Corruption, Dump, Fixture, Value};
use asynq_core::broker::redis::RedisBroker;
use asynq_core::clock::Clock;
use asynq_core::task::{QueueName, TaskId};
use asynq_core::wire::keys::QueueKeys;
use bytes::Bytes;
use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{Script, ScriptInvocation, ToRedisArgs};

use crate::{RedisCluster, RedisServer};

/// A fixture on a [`RedisServer`] or a [`RedisCluster`], which it takes for itself: one at a time. Its clock stands at the real time
/// when it is made, in whole seconds.
///
/// A lock or a server's state loses of its time to live what really passes, and what [`Fixture::advance`] lets
/// pass; the clock knows of the latter only, so such a key expires a little earlier than the clock says.
#[derive(Debug)]
pub struct RedisFixture {
    url: String,
    /// The server, or the masters of the cluster.
    servers: Vec<MultiplexedConnection>,
    broker: Arc<RedisBroker>,
    clock: Clock,
    dump: Script,
    age: Script,
}

impl RedisFixture {
    /// Deletes all that the server holds.
    pub async fn new(server: &RedisServer) -> Self {
        Self::on(server.url(), vec![server.connection().await]).await
    }

    /// Deletes all that the cluster holds.
    pub async fn on_cluster(cluster: &RedisCluster) -> Self {
        let mut servers = Vec::new();
        for master in cluster.masters().await {
            servers.push(master.connection().await);
        }
        Self::on(cluster.url(), servers).await
    }

    async fn on(url: String, servers: Vec<MultiplexedConnection>) -> Self {
        let now = Clock::system().unix_seconds();
        let clock = Clock::manual(Timestamp::from_second(now).unwrap());
        let fixture = Self {
            broker: Arc::new(RedisBroker::connect(&url, clock.clone()).await.unwrap()),
            url,
            servers,
            clock,
            dump: Script::new(include_str!("scripts/dump.lua")),
            age: Script::new(include_str!("scripts/age.lua")),
        };
        for server in &fixture.servers {
            redis::cmd("FLUSHALL").exec_async(&mut server.clone()).await.unwrap();
        }
        fixture
    }

    /// Runs one command, on the server that has its key.
    async fn run(&self, command: &redis::Cmd) {
        for server in &self.servers {
            match command.exec_async(&mut server.clone()).await {
                Err(error) if error.code() == Some("MOVED") => {}
                done => return done.unwrap(),
            }
        }
        panic!("no server has the key");
    }

    /// Runs a script on every server.
    async fn invoke<T: redis::FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Vec<T> {
        let mut answers = Vec::with_capacity(self.servers.len());
        for server in &self.servers {
            answers.push(script.invoke_async(&mut server.clone()).await.unwrap());
        }
        answers
    }

    fn keys(&self, queue: &QueueName) -> QueueKeys {
        self.broker.keyspace().queue(queue)
    }

    fn task(&self, queue: &QueueName, id: &TaskId) -> String {
        self.keys(queue).task(id.as_str())
    }
}

#[async_trait]
impl Fixture for RedisFixture {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::<RedisBroker>::clone(&self.broker)
    }

    async fn broker_with_clock(&self, clock: Clock) -> Arc<dyn Broker> {
        Arc::new(RedisBroker::connect(&self.url, clock).await.unwrap())
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        let by = u64::try_from(by.as_millis()).unwrap();
        let clock = self.clock.now().as_millisecond();
        self.invoke::<()>(self.age.prepare_invoke().arg(by).arg(clock)).await;
    }

    async fn dump(&self) -> Dump {
        let rows: Vec<Vec<Row>> = self.invoke(&self.dump.prepare_invoke()).await;
        read_dump(rows.into_iter().flatten(), &self.clock)
    }

    async fn corrupt(&self, corruption: Corruption) {
        let command = match corruption {
            Corruption::PushPending { queue, id } => {
                command("RPUSH", self.keys(&queue).pending(), id.as_str())
            }
            Corruption::PushActive { queue, id } => command("LPUSH", self.keys(&queue).active(), id.as_str()),
            Corruption::SetLease { queue, id, until } => {
                command("ZADD", self.keys(&queue).lease(), (until, id.as_str()))
            }
            Corruption::RemoveLease { queue, id } => command("ZREM", self.keys(&queue).lease(), id.as_str()),
            Corruption::AddArchived { queue, id, at } => {
                command("ZADD", self.keys(&queue).archived(), (at, id.as_str()))
            }
            Corruption::DeleteTask { queue, id } => command("DEL", self.task(&queue, &id), None::<&str>),
            Corruption::SetField { queue, id, field, value } => {
                command("HSET", self.task(&queue, &id), (field, value.as_ref()))
            }
            Corruption::RemoveField { queue, id, field } => command("HDEL", self.task(&queue, &id), field),
            Corruption::SetProcessedTotal { queue, value } => {
                command("SET", self.keys(&queue).processed_total(), value)
            }
            Corruption::SetFailedTotal { queue, value } => {
                command("SET", self.keys(&queue).failed_total(), value)
            }
            Corruption::ForgetGroup { queue, group } => command("SREM", self.keys(&queue).groups(), group),
            Corruption::ForgetQueue { queue } => {
                command("SREM", self.broker.keyspace().queues(), queue.as_str())
            }
        };
        self.run(&command).await;
    }
}

impl RedisServer {
    /// Everything that it holds, by the clock of this machine.
    pub async fn dump(&self) -> Dump {
        let script = Script::new(include_str!("scripts/dump.lua"));
        let rows: Vec<Row> =
            script.prepare_invoke().invoke_async(&mut self.connection().await).await.unwrap();
        read_dump(rows.into_iter(), &Clock::system())
    }
}

/// Key, type, value, milliseconds until it expires, and when that is in Unix milliseconds.
type Row = (String, String, redis::Value, i64, i64);

fn read_dump(rows: impl Iterator<Item = Row>, clock: &Clock) -> Dump {
    let mut dump = Dump::default();
    for (key, kind, value, left, expires_at) in rows {
        let expires_at = match left {
            ..0 => None,
            _ if is_daily(&key) => Some(whole_seconds(expires_at)),
            // The clock may stand between two seconds, and the sum is what is rounded down.
            _ => Some(clock.unix_seconds() + whole_seconds(left)),
        };
        dump.insert(key, read_value(&kind, value), expires_at);
    }
    dump
}

fn command(name: &str, key: String, args: impl ToRedisArgs) -> redis::Cmd {
    let mut command = redis::cmd(name);
    command.arg(key).arg(args);
    command
}

/// Whether a key is a counter of one day.
fn is_daily(key: &str) -> bool {
    key.contains("}:processed:") || key.contains("}:failed:")
}

/// Milliseconds in whole seconds, rounded up.
fn whole_seconds(millis: i64) -> i64 {
    millis.div_euclid(1_000) + i64::from(millis.rem_euclid(1_000) > 0)
}

fn read_value(kind: &str, value: redis::Value) -> Value {
    match kind {
        "string" => Value::String(read(value)),
        "list" => Value::List(read::<Vec<Bytes>>(value)),
        "set" => Value::Set(read::<Vec<Bytes>>(value).into_iter().collect::<BTreeSet<_>>()),
        "zset" => {
            Value::ZSet(read::<Vec<(Bytes, String)>>(value).into_iter().map(read_member).collect::<Vec<_>>())
        }
        "hash" => Value::Hash(read::<Vec<(String, Bytes)>>(value).into_iter().collect::<BTreeMap<_, _>>()),
        other => panic!("a key holds a {other}: {value:?}"),
    }
}

fn read<T: redis::FromRedisValue>(value: redis::Value) -> T {
    redis::from_redis_value(value).unwrap()
}

fn read_member((member, score): (Bytes, String)) -> (Bytes, i64) {
    // Redis writes large scores with an exponent. A score that is no whole number would be a defect.
    let number: f64 = score.parse().unwrap();
    assert!(number.fract() == 0.0, "score {score} is no whole number");
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
    (member, number as i64)
}
