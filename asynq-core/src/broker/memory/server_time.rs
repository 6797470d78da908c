//! The time of the store in memory: that of the clock it was made with.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryBroker;
use crate::broker::{BrokerError, ServerTime};

#[async_trait]
impl ServerTime for MemoryBroker {
    async fn time(&self) -> Result<Timestamp, BrokerError> {
        Ok(self.shared.clock.now())
    }
}
