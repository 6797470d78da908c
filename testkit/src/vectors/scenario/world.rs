//! [`World`]: our side of a scenario.

use std::sync::Arc;

use asynq_core::broker::Broker;
use asynq_core::broker::redis::RedisBroker;
use asynq_core::client::Client;
use asynq_core::clock::Clock;
use asynq_core::inspector::Inspector;
use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};

use super::broker::Operations;
use super::scheduler::Periodic;
use super::server::Worker;
use super::{arguments, client, inspector, raw};
use crate::RedisServer;
use crate::vectors::file::{Scenario, Step};

/// Our side of a scenario.
pub(super) struct World {
    pub(super) redis: MultiplexedConnection,
    pub(super) url: String,
    /// The clock of `rdb.*` steps. All others see the system's.
    pub(super) clock: Clock,
    pub(super) broker: Operations,
    pub(super) client: Client,
    pub(super) worker: Worker,
    pub(super) periodic: Periodic,
}

const OPERATIONS: &[&str] = &[
    "inspect",
    "client.enqueue",
    "client.restart",
    "cancel",
    "redis",
    "redis.bulk_zadd",
    "dump",
    "sleep",
    "server.start",
    "server.wait",
    "server.stop",
    "scheduler.start",
    "scheduler.wait",
    "scheduler.stop",
];

/// What a step needs and we do not have.
pub(super) fn missing(step: &Step) -> Option<String> {
    let op = step.op.as_str();
    let have = match op.strip_prefix("rdb.") {
        Some(op) => super::broker::OPERATIONS.contains(&op) || super::groups::OPERATIONS.contains(&op),
        None => OPERATIONS.contains(&op),
    };
    (!have).then(|| op.to_owned())
}

impl World {
    pub(super) async fn new(redis: &RedisServer, case: &Scenario) -> Self {
        let url = redis.url();
        let clock = match case.fixed_unix_ns {
            Some(nanos) => Clock::manual(Timestamp::from_nanosecond(nanos.into()).unwrap()),
            None => Clock::system(),
        };
        Self {
            redis: redis.connection().await,
            broker: Operations::new(connect(&url, clock.clone()).await),
            client: Client::new(connect(&url, Clock::system()).await),
            worker: Worker::new(case),
            periodic: Periodic::default(),
            url,
            clock,
        }
    }

    /// What the clock shows that a step sees, in nanoseconds.
    pub(super) fn now(&self, op: &str) -> i64 {
        if op.starts_with("rdb.") { self.clock.unix_nanos() } else { Clock::system().unix_nanos() }
    }

    /// Runs a step: its result.
    pub(super) async fn step(&mut self, step: &Step) -> Value {
        let arguments = arguments(step);
        if let Some(op) = step.op.strip_prefix("rdb.") {
            let result = self.broker.step(op, arguments).await;
            if op == "dequeue" && self.worker.is_expected() {
                raw::disown(&mut self.redis, &result["task_message"]).await;
            }
            return result;
        }
        match step.op.as_str() {
            "client.enqueue" => client::enqueue(&self.client, arguments).await,
            "client.restart" => {
                self.client = Client::new(connect(&self.url, Clock::system()).await);
                json!({"ok": true})
            }
            "inspect" => inspector::inspect(&Inspector::new(&self.client), arguments).await,
            "server.start" => self.worker.start(&self.client, &mut self.redis, arguments).await,
            "server.wait" => self.worker.wait(&mut self.redis, arguments).await,
            "server.stop" => self.worker.stop().await,
            "scheduler.start" => self.periodic.start(&self.client, arguments),
            "scheduler.wait" => self.periodic.wait(arguments).await,
            "scheduler.stop" => self.periodic.stop().await,
            "cancel" => raw::cancel(&self.url, self.client.broker(), arguments).await,
            "redis" => raw::command(&mut self.redis, arguments).await,
            "redis.bulk_zadd" => raw::bulk_zadd(&mut self.redis, arguments).await,
            "dump" => json!({}),
            "sleep" => raw::sleep(arguments).await,
            op => panic!("unknown operation {op}"),
        }
    }
}

/// A broker on the Redis of the case.
async fn connect(url: &str, clock: Clock) -> Arc<dyn Broker> {
    Arc::new(RedisBroker::connect(url, clock).await.unwrap())
}
