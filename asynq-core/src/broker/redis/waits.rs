//! [`Waits`] on Redis.

use async_trait::async_trait;
use redis::Value;

use super::RedisBroker;
use super::messages::RedisMessages;
use super::script::{Call, Name};
use crate::broker::{BrokerError, Messages, WATCH, Waits, Watched};
use crate::task::{QueueName, TaskId};

#[async_trait]
impl Waits for RedisBroker {
    async fn watch(&self, queue: &QueueName, id: &TaskId) -> Result<Watched, BrokerError> {
        const DOING: &str = "watch a task";
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(
            Name::watch,
            [keys.task(id.as_str()), keys.lease(), keys.waits(), keys.done(id.as_str())],
        );
        call.arg(id.as_str()).arg(keys.prefix()).arg(self.now_seconds()).arg(WATCH.as_secs());
        match call.run(&self.shared, DOING).await? {
            Value::Int(1) => Ok(Watched::Done),
            Value::Int(0) => Ok(Watched::Missing),
            stored => Ok(Watched::Stored(Box::new(self.read_task(stored, queue, id, DOING)?))),
        }
    }

    async fn run_ends(&self) -> Result<Box<dyn Messages>, BrokerError> {
        Ok(Box::new(RedisMessages::subscribe(&self.store, &self.keyspace.run_ends_channel()).await?))
    }
}
