//! [`ServerTime`]: the store's own clock, to compare ours with.

use async_trait::async_trait;
use jiff::Timestamp;

use super::BrokerError;

/// The store's own clock. Nothing is stored or decided by it.
#[async_trait]
pub trait ServerTime {
    /// The time where the store is.
    async fn time(&self) -> Result<Timestamp, BrokerError>;
}
