//! [`PeriodicTaskManager`]: syncs now and then, and when told to.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::sync::Syncer;
use super::{ManagerBuilder, PeriodicTaskProvider, SyncReport};
use crate::background::{Request, Signals};
use crate::client::AsClient;
use crate::error::{Error, Result};
use crate::scheduler::Scheduler;

/// A [`Scheduler`] whose entries come from a [provider](PeriodicTaskProvider), and are kept in step with it.
///
/// Dropping it stops everything at once.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::scheduler::{PeriodicTask, PeriodicTaskManager};
/// use asynq_core::task::Task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let client = Client::in_memory();
/// let provider = async || Ok(vec![PeriodicTask::new("@hourly", Task::new("cleanup", "{}")?)]);
/// let manager = PeriodicTaskManager::builder(&client, provider).start().await?;
/// assert_eq!(manager.scheduler().entries().len(), 1);
/// assert_eq!(manager.sync_now().await?.unchanged, 1);
/// manager.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PeriodicTaskManager {
    syncer: Arc<Syncer>,
    stop: CancellationToken,
    /// The loop that syncs.
    tasks: JoinSet<()>,
}

impl PeriodicTaskManager {
    /// Sets up a manager on the broker of a client.
    pub fn builder(client: &impl AsClient, provider: impl PeriodicTaskProvider) -> ManagerBuilder {
        ManagerBuilder::new(client, provider)
    }

    pub(super) async fn start(settings: ManagerBuilder) -> Result<Self> {
        let ManagerBuilder { scheduler, provider, interval } = settings;
        let scheduler = Arc::new(scheduler.build()?);
        let syncer = Arc::new(Syncer::new(Arc::clone(&scheduler), provider));
        syncer.sync().await.map_err(Error::Provider)?;
        scheduler.start()?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(sync_regularly(Arc::clone(&syncer), interval, stop.clone()));
        Ok(Self { syncer, stop, tasks })
    }

    /// The scheduler, to which entries may be added that are not the provider's.
    pub fn scheduler(&self) -> &Scheduler {
        &self.syncer.scheduler
    }

    /// Syncs now, without waiting for the interval to end.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`] when the provider fails: then everything stays as it was.
    ///
    /// # Cancel safety
    ///
    /// Dropped while the provider is asked, nothing changes.
    pub async fn sync_now(&self) -> Result<SyncReport> {
        self.syncer.sync().await.map_err(Error::Provider)
    }

    /// Stops syncing, then the scheduler.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops everything at once.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.syncer.scheduler.shutdown().await;
    }

    /// Runs until the process is told to end: SIGTERM or SIGINT.
    ///
    /// # Errors
    ///
    /// When signals cannot be listened for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops everything at once.
    pub async fn until_signalled(self) -> Result<()> {
        let mut signals = Signals::listen()?;
        while signals.next().await != Request::Shutdown {}
        self.shutdown().await;
        Ok(())
    }
}

/// Syncs after each interval. Asking the provider may be cut short; what it gave is registered in one go.
async fn sync_regularly(syncer: Arc<Syncer>, interval: Duration, stop: CancellationToken) {
    let syncs = async {
        loop {
            tokio::time::sleep(interval).await;
            if let Err(error) = syncer.sync().await {
                tracing::error!(%error, "the provider of periodic tasks failed; everything stays as it was");
            }
        }
    };
    stop.run_until_cancelled(syncs).await;
}
