//! [`LeaseKeeper`]: extends the leases of the tasks that this server holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::running::Running;
use crate::background::Backoff;
use crate::broker::{Broker, BrokerError, LEASE};

/// Time between extensions, as in Go: a lease survives several lost ones.
const INTERVAL: Duration = Duration::from_secs(5);

/// Extends leases until told to stop.
pub(super) struct LeaseKeeper {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) running: Running,
}

impl LeaseKeeper {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new("lease keeper");
        let mut delay = INTERVAL;
        while stop.run_until_cancelled(sleep(delay)).await.is_some() {
            delay = match self.extend().await {
                Ok(()) => {
                    backoff.worked();
                    INTERVAL
                }
                Err(error) => backoff.failed(&error),
            };
        }
    }

    async fn extend(&self) -> Result<(), BrokerError> {
        let until = self.broker.clock().unix_seconds() + LEASE.as_secs().cast_signed();
        for (queue, runs) in self.running.to_extend(until) {
            let extended = self.broker.extend_leases(&queue, &runs, until).await?;
            for (run, _) in runs.iter().zip(extended).filter(|(_, extended)| !extended) {
                if self.running.lost(&queue, run) {
                    tracing::warn!(task_id = %run.id, %queue, "another run holds this task; its handler is told to stop");
                }
            }
        }
        Ok(())
    }
}
