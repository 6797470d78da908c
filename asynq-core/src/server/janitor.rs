//! [`Janitor`]: deletes completed tasks whose retention is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Queues;
use crate::background::Backoff;
use crate::broker::{Broker, BrokerError, Place};

/// Tasks deleted in one call, as in Go.
const BATCH: usize = 100;

/// Deletes expired tasks until told to stop.
pub(super) struct Janitor {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) queues: Queues,
    pub(super) interval: Duration,
}

impl Janitor {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new("janitor");
        let mut delay = self.interval;
        while stop.run_until_cancelled(sleep(delay)).await.is_some() {
            delay = match self.clean(&stop).await {
                Ok(()) => {
                    backoff.worked();
                    self.interval
                }
                Err(error) => backoff.failed(&error),
            };
        }
    }

    async fn clean(&self, stop: &CancellationToken) -> Result<(), BrokerError> {
        for queue in self.broker.occupied(Place::Ended, &self.queues.names()).await? {
            while self.broker.delete_expired_completed(&queue, BATCH).await? == BATCH && !stop.is_cancelled()
            {
            }
            while self.broker.delete_expired_archived(&queue, BATCH).await? == BATCH && !stop.is_cancelled() {
            }
        }
        Ok(())
    }
}
