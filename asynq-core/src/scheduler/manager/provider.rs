//! [`PeriodicTaskProvider`]: where periodic tasks come from.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::router::BoxError;
use crate::scheduler::PeriodicTask;

/// Where periodic tasks come from: a file, a table, a service. An async closure is one too.
///
/// # Examples
///
/// ```
/// use asynq_core::router::BoxError;
/// use asynq_core::scheduler::{PeriodicTask, PeriodicTaskProvider};
/// use asynq_core::task::Task;
///
/// struct Table(Vec<(&'static str, &'static str)>);
///
/// impl PeriodicTaskProvider for Table {
///     async fn periodic_tasks(&self) -> Result<Vec<PeriodicTask>, BoxError> {
///         self.0.iter().map(|(spec, name)| Ok(PeriodicTask::new(*spec, Task::new(name, "{}")?))).collect()
///     }
/// }
/// ```
pub trait PeriodicTaskProvider: Send + Sync + 'static {
    /// All periodic tasks that there should be.
    ///
    /// # Errors
    ///
    /// Whatever goes wrong: at start it is the caller's to see, later it is logged and everything stays as it is.
    fn periodic_tasks(&self) -> impl Future<Output = Result<Vec<PeriodicTask>, BoxError>> + Send;
}

impl<F, Fut> PeriodicTaskProvider for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<PeriodicTask>, BoxError>> + Send,
{
    async fn periodic_tasks(&self) -> Result<Vec<PeriodicTask>, BoxError> {
        self().await
    }
}

/// A provider whose type is forgotten.
#[derive(Clone)]
pub(super) struct Provider(Arc<dyn Provide>);

trait Provide: Send + Sync {
    fn provide(&self) -> BoxFuture<'_, Result<Vec<PeriodicTask>, BoxError>>;
}

impl<P: PeriodicTaskProvider> Provide for P {
    fn provide(&self) -> BoxFuture<'_, Result<Vec<PeriodicTask>, BoxError>> {
        Box::pin(self.periodic_tasks())
    }
}

impl Provider {
    pub(super) fn new(provider: impl PeriodicTaskProvider) -> Self {
        Self(Arc::new(provider))
    }

    pub(super) async fn periodic_tasks(&self) -> Result<Vec<PeriodicTask>, BoxError> {
        self.0.provide().await
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}
