//! [`Publisher`]: publishes what a scheduler has registered, for inspectors.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::scheduler::Entries;
use crate::background::Backoff;
use crate::broker::Broker;

/// Publishes the entries until told to stop, then removes them.
pub(super) struct Publisher {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) entries: Entries,
    pub(super) id: String,
    pub(super) interval: Duration,
}

impl Publisher {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new("scheduler entries");
        // Compat: the first time after one interval.
        let mut delay = self.interval;
        while stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some() {
            let now = self.broker.clock().unix_seconds();
            let shown: Vec<_> =
                self.entries.lock().values().map(|registered| registered.entry.shown(now)).collect();
            let ttl = self.interval.saturating_mul(2);
            delay = match self.broker.write_scheduler_entries(&self.id, &shown, ttl).await {
                Ok(()) => {
                    backoff.worked();
                    self.interval
                }
                Err(error) => backoff.failed(&error),
            };
        }
        if let Err(error) = self.broker.clear_scheduler_entries(&self.id).await {
            tracing::debug!(%error, "the scheduler's entries stay until they expire");
        }
    }
}
