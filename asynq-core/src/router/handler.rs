//! [`Handler`]: what runs a task.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use super::{BoxError, Ctx, IntoOutcome, Middleware, Outcome, Router, RunFn};

/// What running a task gives.
pub type HandlerResult = Result<Outcome, BoxError>;

/// Runs tasks. Any `async fn(Ctx)` that returns what a job may return is one by [`HandlerFn`], and any tower
/// service on [`Ctx`] by [`Handler::service`].
#[derive(Clone)]
pub struct Handler(Kind);

#[derive(Clone)]
enum Kind {
    Registered(RunFn),
    Function(Arc<dyn HandlerFn>),
    Service(BoxCloneSyncService<Ctx, Outcome, BoxError>),
    Router(Arc<Router>),
}

/// An async function of a [`Ctx`], usable as a handler of any task type.
pub trait HandlerFn: Send + Sync + 'static {
    /// Runs it.
    fn run(&self, ctx: Ctx) -> BoxFuture<'static, HandlerResult>;
}

impl<F, Fut> HandlerFn for F
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoOutcome> + Send + 'static,
{
    fn run(&self, ctx: Ctx) -> BoxFuture<'static, HandlerResult> {
        let future = self(ctx);
        Box::pin(async move { future.await.into_outcome() })
    }
}

impl Handler {
    /// The handler of a registered job.
    pub fn registered(run: RunFn) -> Self {
        Self(Kind::Registered(run))
    }

    /// A function.
    pub fn function(function: impl HandlerFn) -> Self {
        Self(Kind::Function(Arc::new(function)))
    }

    /// A tower service. It is cloned for each task.
    pub fn service<S>(service: S) -> Self
    where
        S: Service<Ctx, Response = Outcome, Error = BoxError> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self(Kind::Service(BoxCloneSyncService::new(service)))
    }

    /// The handler that a router finds for each task.
    pub(crate) fn router(router: Arc<Router>) -> Self {
        Self(Kind::Router(router))
    }

    /// This handler behind a middleware.
    #[must_use]
    pub fn layer(self, layer: &impl Middleware) -> Self {
        layer.wrap(self)
    }

    /// Runs a task.
    pub(crate) fn call(&self, ctx: Ctx) -> BoxFuture<'static, HandlerResult> {
        match &self.0 {
            Kind::Registered(run) => run(ctx),
            Kind::Function(function) => function.run(ctx),
            Kind::Service(service) => Box::pin(service.clone().oneshot(ctx)),
            Kind::Router(router) => router.call(ctx),
        }
    }
}

/// A [`Handler`] as a tower service: what a middleware wraps.
#[derive(Clone, Debug)]
pub struct HandlerService(Handler);

impl HandlerService {
    pub(crate) fn new(handler: Handler) -> Self {
        Self(handler)
    }
}

impl Service<Ctx> for HandlerService {
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, HandlerResult>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, ctx: Ctx) -> Self::Future {
        self.0.call(ctx)
    }
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Kind::Registered(_) => "Handler(registered job)",
            Kind::Function(_) => "Handler(function)",
            Kind::Service(_) => "Handler(service)",
            Kind::Router(_) => "Handler(router)",
        })
    }
}
