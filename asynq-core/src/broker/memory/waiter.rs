//! [`MemoryWaiter`] and [`MemoryMessages`]: what wakes others in this process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, timeout_at};

use super::broker::Shared;
use crate::broker::{BrokerError, Messages, Waiter};
use crate::task::QueueName;

/// How often paused queues are looked at.
const PAUSED_INTERVAL: Duration = Duration::from_secs(1);

/// Waits for pending tasks of some queues.
pub(super) struct MemoryWaiter {
    shared: Arc<Shared>,
    queues: Vec<QueueName>,
}

impl MemoryWaiter {
    pub(super) fn new(shared: Arc<Shared>, queues: &[QueueName]) -> Self {
        Self { shared, queues: queues.to_vec() }
    }
}

impl fmt::Debug for MemoryWaiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryWaiter").field("queues", &self.queues).finish_non_exhaustive()
    }
}

#[async_trait]
impl Waiter for MemoryWaiter {
    async fn wait(&mut self, paused: &[QueueName]) -> Result<Option<QueueName>, BrokerError> {
        let (rested, watched) = self.queues.iter().partition::<Vec<_>, _>(|queue| paused.contains(queue));
        let has_pending = |queues: &[&QueueName]| self.shared.lock().has_pending(queues.iter().copied());
        let mut look_at = Instant::now() + PAUSED_INTERVAL;
        loop {
            // Made before looking: it hears of everything from here on, so that nothing which becomes pending in
            // between is missed.
            let ready = self.shared.ready.notified();
            if has_pending(&watched) {
                return Ok(None);
            }
            if rested.is_empty() {
                ready.await;
            } else if timeout_at(look_at, ready).await.is_err() {
                if has_pending(&rested) {
                    return Ok(None);
                }
                look_at += PAUSED_INTERVAL;
            }
        }
    }
}

/// Listens for what others publish.
#[derive(Debug)]
pub(super) struct MemoryMessages {
    channel: broadcast::Receiver<String>,
}

impl MemoryMessages {
    pub(super) fn new(channel: broadcast::Receiver<String>) -> Self {
        Self { channel }
    }
}

#[async_trait]
impl Messages for MemoryMessages {
    async fn next(&mut self) -> Option<String> {
        loop {
            match self.channel.recv().await {
                Ok(message) => return Some(message),
                // Best effort: a listener that is too slow loses the oldest messages and goes on.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
