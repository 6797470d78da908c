//! [`Forwarder`]: moves scheduled and retried tasks to pending when they are due.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Queues;
use crate::background::Backoff;
use crate::broker::{Broker, BrokerError, Place};
use crate::clock::from_unix_seconds;

/// Longest time between looks: how late a task may be that was scheduled after the last look.
const LONGEST: Duration = Duration::from_secs(1);

/// Moves due tasks until told to stop. Between looks it sleeps until the next task is due, a second at most.
pub(super) struct Forwarder {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) queues: Queues,
}

impl Forwarder {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new("forwarder");
        let mut delay = Duration::ZERO;
        while stop.run_until_cancelled(sleep(delay)).await.is_some() {
            delay = match self.forward().await {
                Ok(next) => {
                    backoff.worked();
                    next
                }
                Err(error) => backoff.failed(&error),
            };
        }
    }

    /// One look at all queues: how long to sleep.
    async fn forward(&self) -> Result<Duration, BrokerError> {
        let mut next = LONGEST;
        for queue in self.broker.occupied(Place::Later, &self.queues.names()).await? {
            let forwarded = self.broker.forward(&queue).await?;
            if let Some(due) = forwarded.next_due {
                let wait = from_unix_seconds(due).duration_since(self.broker.clock().now());
                next = next.min(Duration::try_from(wait).unwrap_or_default());
            }
        }
        Ok(next)
    }
}
