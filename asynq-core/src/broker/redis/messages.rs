//! What others publish, by Redis pub/sub.

use futures_util::StreamExt;

use super::connection::broker_error;
use super::link::Store;
use crate::broker::{BrokerError, Messages};

const DOING: &str = "subscribe to a channel";

/// A subscription to a channel, on a connection of its own.
pub(super) struct RedisMessages {
    messages: redis::aio::PubSubStream,
    /// Keeps the subscription alive.
    _sink: redis::aio::PubSubSink,
}

impl RedisMessages {
    pub(super) async fn subscribe(store: &Store, channel: &str) -> Result<Self, BrokerError> {
        let pubsub = store.pubsub().await.map_err(|error| broker_error(DOING, error))?;
        let (mut sink, messages) = pubsub.split();
        sink.subscribe(channel).await.map_err(|error| broker_error(DOING, error))?;
        Ok(Self { messages, _sink: sink })
    }
}

impl std::fmt::Debug for RedisMessages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisMessages")
    }
}

#[async_trait::async_trait]
impl Messages for RedisMessages {
    async fn next(&mut self) -> Option<String> {
        let message = self.messages.next().await?;
        Some(String::from_utf8_lossy(message.get_payload_bytes()).into_owned())
    }
}
