//! [`Forwarder`]: moves scheduled and retried tasks to pending when they are due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Queues;
use super::queues::Served;
use crate::background::Backoff;
use crate::broker::{Broker, BrokerError, LaterChanges, Place};
use crate::clock::from_unix_seconds;

/// Longest time between looks: how late a task may be of which nobody tells.
const LONGEST: Duration = Duration::from_secs(1);

/// The same where the broker tells, which it may once fail to.
const LONGEST_TOLD: Duration = Duration::from_secs(5);

/// Shortest time between two times of listening to what is scheduled, which may be much.
const PAUSE: Duration = Duration::from_millis(100);

/// When listening is tried again after it failed.
const RETRY: Duration = Duration::from_secs(5);

/// Moves due tasks until told to stop. Between looks it sleeps until the next task is due, a second at most, or five where
/// the broker tells of what is scheduled.
pub(super) struct Forwarder {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) queues: Queues,
}

impl Forwarder {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new("forwarder");
        let mut changes = Changes::new(Arc::clone(&self.broker), self.queues.watch());
        let mut next_look = Instant::now();
        loop {
            let told = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = sleep_until(next_look) => None,
                due = changes.next() => Some(due),
            };
            if let Some(due) = told {
                next_look = next_look.min(Instant::now() + self.until(due, LONGEST_TOLD));
                continue;
            }
            let longest = if changes.heard.is_some() { LONGEST_TOLD } else { LONGEST };
            let delay = match self.forward(longest).await {
                Ok(next) => {
                    backoff.worked();
                    next
                }
                Err(error) => backoff.failed(&error),
            };
            next_look = Instant::now() + delay;
        }
    }

    /// One look at all queues: how long to sleep, and no longer than `longest`.
    async fn forward(&self, longest: Duration) -> Result<Duration, BrokerError> {
        let mut next = longest;
        for queue in self.broker.occupied(Place::Later, &self.queues.names()).await? {
            if let Some(due) = self.broker.forward(&queue).await?.next_due {
                next = next.min(self.until(due, longest));
            }
        }
        Ok(next)
    }

    /// How long until this time (Unix seconds), and no longer than `longest`.
    fn until(&self, due: i64, longest: Duration) -> Duration {
        let left = from_unix_seconds(due).duration_since(self.broker.clock().now());
        Duration::try_from(left).unwrap_or_default().min(longest)
    }
}

/// What the broker tells of newly scheduled tasks, where it can.
struct Changes {
    broker: Arc<dyn Broker>,
    served: watch::Receiver<Served>,
    heard: Option<Box<dyn LaterChanges>>,
    /// When to begin listening; never where the broker cannot tell.
    begin_at: Option<Instant>,
    quiet_until: Instant,
}

impl Changes {
    fn new(broker: Arc<dyn Broker>, served: watch::Receiver<Served>) -> Self {
        let now = Instant::now();
        Self { broker, served, heard: None, begin_at: Some(now), quiet_until: now }
    }

    /// Completes when something is scheduled: when the first of it is due (Unix seconds). Dropping the future loses
    /// nothing.
    async fn next(&mut self) -> i64 {
        loop {
            sleep_until(self.quiet_until).await;
            let Some(changes) = &mut self.heard else {
                self.begin().await;
                continue;
            };
            tokio::select! {
                biased;
                // Other queues, of which nothing is heard.
                _ = self.served.changed() => {
                    self.heard = None;
                    self.begin_at = Some(Instant::now());
                }
                due = changes.next() => {
                    if let Some(due) = due {
                        self.quiet_until = Instant::now() + PAUSE;
                        return due;
                    }
                    self.heard = None;
                    self.begin_at = Some(Instant::now() + RETRY);
                }
            }
        }
    }

    async fn begin(&mut self) {
        let Some(begin_at) = self.begin_at else { return std::future::pending().await };
        sleep_until(begin_at).await;
        let queues: Vec<_> = self.served.borrow_and_update().iter().map(|queue| queue.name.clone()).collect();
        match self.broker.later_changes(&queues).await {
            Ok(Some(changes)) => self.heard = Some(changes),
            Ok(None) => self.begin_at = None,
            Err(error) => {
                tracing::debug!(%error, "cannot be told of what is scheduled yet");
                self.begin_at = Some(Instant::now() + RETRY);
            }
        }
    }
}
