//! [`Subscriber`]: hears requests to cancel a task.

use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::running::Running;
use crate::background::Backoff;
use crate::broker::Broker;

/// Tells running handlers to stop, on request.
pub(super) struct Subscriber {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) running: Running,
}

impl Subscriber {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new("subscriber");
        while !stop.is_cancelled() {
            let delay = match self.broker.cancellations().await {
                Ok(mut requests) => {
                    backoff.worked();
                    while let Some(Some(id)) = stop.run_until_cancelled(requests.next()).await {
                        let runs = self.running.cancel(&id, self.broker.clock().now());
                        tracing::debug!(task_id = id, runs, "asked to cancel a task");
                    }
                    // The connection was lost (or we stop): the next subscription tells whether the broker answers.
                    std::time::Duration::from_millis(50)
                }
                Err(error) => backoff.failed(&error),
            };
            stop.run_until_cancelled(sleep(delay)).await;
        }
    }
}
