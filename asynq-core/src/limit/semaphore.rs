//! [`Semaphore`]: how many tasks run at a time, over all servers, Go's included.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use crate::broker::{Broker, Token};
use crate::clock::floor_seconds;
use crate::error::{Error, Result};
use crate::router::{BoxError, Ctx, Handler, HandlerResult, HandlerService, Outcome, PutBack};
use crate::task::{DEFAULT_TIMEOUT, TaskId, wire_seconds};

/// Lets so many tasks run at a time, over all servers that share the store: the semaphore of Go's `x/rate`, in the same
/// key, so Go handlers may hold its permits, too.
///
/// As a tower layer it puts a task that gets no permit back (see [`PutBack`]) and tries again after
/// [`retry_in`](Self::retry_in). A handler that holds a permit for a part of its work only calls
/// [`acquire`](Self::acquire) itself.
///
/// A permit belongs to a task and expires at the deadline of its attempt, as in Go, so one whose worker died comes
/// back by itself; give jobs under a semaphore a timeout that is not much longer than they need. The task itself, when
/// it runs again, has its permit still.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use asynq_core::client::Client;
/// use asynq_core::limit::Semaphore;
/// use asynq_core::router::{Ctx, Router};
/// use asynq_core::server::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let renders = Semaphore::new("renders", 10)?.retry_in(Duration::from_secs(2));
/// let router = Router::new().route("render", async |_: Ctx| ())?.layer(&renders);
/// let server = Server::builder(&Client::in_memory()).router(router).start().await?;
/// # server.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore {
    scope: Arc<str>,
    most: u32,
    retry_in: Duration,
}

impl Semaphore {
    /// The semaphore of this name, with so many permits.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] when the name is blank, or there are no permits.
    pub fn new(scope: impl AsRef<str>, permits: u32) -> Result<Self> {
        let scope = scope.as_ref();
        let wrong =
            |reason: &str| Err(Error::InvalidSetting { name: "semaphore", reason: reason.to_owned() });
        if scope.trim().is_empty() {
            return wrong("its name must not be blank");
        }
        if permits == 0 {
            return wrong("it must have 1 permit or more, got 0");
        }
        Ok(Self { scope: Arc::from(scope), most: permits, retry_in: Duration::from_secs(5) })
    }

    /// How long a task is put back that gets no permit from the layer; whole seconds, 5 unless set.
    #[must_use]
    pub fn retry_in(mut self, delay: Duration) -> Self {
        self.retry_in = delay;
        self
    }

    /// Takes a permit for a task; `None` when there is none now. A task that has one already keeps it.
    ///
    /// # Errors
    ///
    /// When the broker does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, a permit may have been taken; it expires at the deadline of the attempt.
    pub async fn acquire(&self, ctx: &Ctx) -> Result<Option<Permit>> {
        let broker = ctx.client().broker();
        let until = match ctx.deadline() {
            Some(deadline) => floor_seconds(deadline),
            None => broker.clock().unix_seconds().saturating_add(wire_seconds(DEFAULT_TIMEOUT)),
        };
        let token = Token { scope: &self.scope, most: self.most, id: ctx.task_id(), until };
        let acquired = broker.acquire_token(&token).await?;
        Ok(acquired.then(|| Permit {
            broker: Arc::clone(broker),
            scope: Arc::clone(&self.scope),
            id: ctx.task_id().clone(),
        }))
    }

    /// Runs a task that has a permit, and gives it back whatever comes of it.
    async fn run(&self, mut inner: HandlerService, ctx: Ctx) -> HandlerResult {
        let refused = |reason: BoxError| PutBack::new(self.retry_in, reason);
        let permit = self.acquire(&ctx).await.map_err(|error| refused(error.into()))?;
        let permit = permit.ok_or_else(|| refused(NoPermit { scope: Arc::clone(&self.scope) }.into()))?;
        let ended = AssertUnwindSafe(async move { inner.call(ctx).await }).catch_unwind().await;
        if let Err(error) = permit.release().await {
            tracing::warn!(scope = &*self.scope, %error, "a permit was not given back; it expires with its task's deadline");
        }
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// A permit of a [`Semaphore`]. [`release`](Self::release) gives it back; one that is dropped, because its handler was,
/// stays taken until the deadline of its task's attempt.
#[derive(Debug)]
#[must_use = "a permit that is not released stays taken until the deadline of its task"]
pub struct Permit {
    broker: Arc<dyn Broker>,
    scope: Arc<str>,
    id: TaskId,
}

impl Permit {
    /// Gives the permit back; `false` when it had expired.
    ///
    /// # Errors
    ///
    /// When the broker does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the permit may or may not have been given back; it expires in any case.
    pub async fn release(self) -> Result<bool> {
        Ok(self.broker.release_token(&self.scope, &self.id).await?)
    }
}

impl<S> Layer<S> for Semaphore
where
    S: Service<Ctx, Response = Outcome, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    type Service = SemaphoreService;

    fn layer(&self, inner: S) -> SemaphoreService {
        SemaphoreService { semaphore: self.clone(), inner: HandlerService::new(Handler::service(inner)) }
    }
}

/// What a [`Semaphore`] makes of a handler.
#[derive(Clone, Debug)]
pub struct SemaphoreService {
    semaphore: Semaphore,
    inner: HandlerService,
}

impl Service<Ctx> for SemaphoreService {
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, HandlerResult>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, ctx: Ctx) -> Self::Future {
        let Self { semaphore, inner } = self.clone();
        Box::pin(async move { semaphore.run(inner, ctx).await })
    }
}

/// Why a task was put back: all permits are taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("semaphore `{scope}`: all permits are taken")]
pub struct NoPermit {
    scope: Arc<str>,
}
