//! The time of the Redis server.

use async_trait::async_trait;
use jiff::Timestamp;

use super::RedisBroker;
use crate::broker::{BrokerError, ServerTime};

const DOING: &str = "ask for the time";

#[async_trait]
impl ServerTime for RedisBroker {
    async fn time(&self) -> Result<Timestamp, BrokerError> {
        let (seconds, micros): (i64, i32) = self.shared.query(DOING, &redis::cmd("TIME")).await?;
        // Six digits of microseconds fit after any second; what is no time is no answer.
        let nanos = micros.checked_mul(1_000).ok_or(BrokerError::protocol(DOING))?;
        Timestamp::new(seconds, nanos).or(Err(BrokerError::protocol(DOING)))
    }
}
