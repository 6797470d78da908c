//! [`Admission`] on Redis.

use std::time::Duration;

use async_trait::async_trait;
use redis::Value;

use super::RedisBroker;
use super::script::{Call, Name};
use crate::broker::{Admission, Broker, BrokerError, LINE_PATIENCE, Token, Turn};
use crate::task::TaskId;

#[async_trait]
impl Admission for RedisBroker {
    async fn take_turn(&self, turn: &Turn<'_>) -> Result<Option<Duration>, BrokerError> {
        const DOING: &str = "take a turn under a rate limit";
        let keys = [self.keyspace.rate_runs(turn.scope), self.keyspace.rate_line(turn.scope)];
        let mut call = Call::new(Name::take_turn, keys);
        call.arg(turn.id.as_str())
            .arg(turn.run)
            .arg(self.clock().unix_nanos().div_euclid(1_000))
            .arg(micros(turn.period))
            .arg(turn.most.max(1))
            .arg(micros(LINE_PATIENCE));
        let wait = match call.run(&self.shared, DOING).await? {
            Value::Int(wait) => u64::try_from(wait).or(Err(BrokerError::protocol(DOING)))?,
            _ => return Err(BrokerError::protocol(DOING)),
        };
        Ok((wait > 0).then(|| Duration::from_micros(wait)))
    }

    async fn acquire_token(&self, token: &Token<'_>) -> Result<bool, BrokerError> {
        const DOING: &str = "acquire a token of a semaphore";
        let mut call = Call::new(Name::acquire_token, [self.keyspace.semaphore(token.scope)]);
        call.arg(token.most.max(1)).arg(self.now_seconds()).arg(token.until).arg(token.id.as_str());
        match call.run(&self.shared, DOING).await? {
            Value::Int(1) => Ok(true),
            Value::Int(0) => Ok(false),
            _ => Err(BrokerError::protocol(DOING)),
        }
    }

    async fn release_token(&self, scope: &str, id: &TaskId) -> Result<bool, BrokerError> {
        let key = self.keyspace.semaphore(scope);
        self.shared
            .query("release a token of a semaphore", redis::cmd("ZREM").arg(key).arg(id.as_str()))
            .await
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
