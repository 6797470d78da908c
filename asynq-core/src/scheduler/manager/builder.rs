//! [`ManagerBuilder`]: how a manager is to work.

use std::time::Duration;

use super::provider::Provider;
use super::{PeriodicTaskManager, PeriodicTaskProvider};
use crate::client::AsClient;
use crate::error::Result;
use crate::scheduler::SchedulerBuilder;

/// Sets up a [`PeriodicTaskManager`].
///
/// | setting | default | Go's |
/// |---|---|---|
/// | [`sync_interval`](Self::sync_interval) | 3 min | the same |
/// | [`scheduler`](Self::scheduler) | a scheduler's | the same |
#[derive(Debug)]
#[must_use = "a manager does nothing until it is started"]
pub struct ManagerBuilder {
    pub(super) scheduler: SchedulerBuilder,
    pub(super) provider: Provider,
    pub(super) interval: Duration,
}

impl ManagerBuilder {
    pub(super) fn new(client: &impl AsClient, provider: impl PeriodicTaskProvider) -> Self {
        Self {
            scheduler: SchedulerBuilder::new(client),
            provider: Provider::new(provider),
            interval: Duration::from_secs(180),
        }
    }

    /// The time from the end of one sync to the next.
    pub fn sync_interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Sets up the scheduler: its time zone, its hooks.
    pub fn scheduler(mut self, set: impl FnOnce(SchedulerBuilder) -> SchedulerBuilder) -> Self {
        self.scheduler = set(self.scheduler);
        self
    }

    /// Asks the provider for the first time, and starts.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`](crate::Error::Provider) when the provider fails; what a scheduler's
    /// [`build`](SchedulerBuilder::build) says. A periodic task that is wrong is left out, and a warning logged.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future starts nothing.
    pub async fn start(self) -> Result<PeriodicTaskManager> {
        PeriodicTaskManager::start(self).await
    }

    /// Runs until the process is told to end: SIGTERM or SIGINT.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); or when signals cannot be listened for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops it at once.
    pub async fn run(self) -> Result<()> {
        self.start().await?.until_signalled().await
    }
}
