//! [`Middleware`]: what is put around handlers: any tower layer, or an async function.

use std::fmt;
use std::future::Future;

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::{BoxError, Ctx, Handler, HandlerResult, HandlerService, Outcome};

/// Something that is put around a handler: every [`tower::Layer`] over [`HandlerService`] is one, whose service takes
/// a [`Ctx`] and gives what handlers give. [`middleware_fn`] makes one of an async function.
///
/// A middleware sees a task before its handler does, and the result after it. It may refuse the task with an error,
/// change the result, limit the time; it must not run the inner handler twice in one attempt. A task travels from the
/// outside in: the server's middleware, the first added first; the router's, the last added first; the job's own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a middleware for jobs",
    label = "not a tower layer over the handlers of jobs",
    note = "a middleware is a `tower::Layer<HandlerService>` that makes a `Service<Ctx, Response = Outcome, Error = \
            BoxError>`, which is `Clone + Send + Sync` and has a future that is `Send`",
    note = "of an async function it is made by `middleware_fn(async |ctx: Ctx, next: Next| next.run(ctx).await)`"
)]
pub trait Middleware {
    /// The handler inside this middleware.
    fn wrap(&self, inner: Handler) -> Handler;
}

#[diagnostic::do_not_recommend]
impl<L> Middleware for L
where
    L: Layer<HandlerService>,
    L::Service: Service<Ctx, Response = Outcome, Error = BoxError> + Clone + Send + Sync + 'static,
    <L::Service as Service<Ctx>>::Future: Send + 'static,
{
    fn wrap(&self, inner: Handler) -> Handler {
        Handler::service(self.layer(HandlerService::new(inner)))
    }
}

/// A middleware that is an async function of the task's context and of what comes [next](Next).
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::router::{Ctx, Next, Router, middleware_fn};
/// use asynq_core::server::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let told = middleware_fn(async |ctx: Ctx, next: Next| {
///     let task_type = ctx.task_type().to_owned();
///     let result = next.run(ctx).await;
///     println!("{task_type}: {}", if result.is_ok() { "done" } else { "failed" });
///     result
/// });
/// let router = Router::new().route("email:", async |_: Ctx| ())?;
/// let server = Server::builder(&Client::in_memory()).router(router).layer(told).start().await?;
/// # server.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub fn middleware_fn<F, Fut>(function: F) -> MiddlewareFn<F>
where
    F: Fn(Ctx, Next) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = HandlerResult> + Send + 'static,
{
    MiddlewareFn(function)
}

/// The layer that [`middleware_fn`] makes.
#[derive(Clone, Copy)]
pub struct MiddlewareFn<F>(F);

impl<F> fmt::Debug for MiddlewareFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MiddlewareFn(..)")
    }
}

// Over any service, so that it can also stand between other layers.
impl<F, S> Layer<S> for MiddlewareFn<F>
where
    F: Clone,
    S: Service<Ctx, Response = Outcome, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    type Service = MiddlewareFnService<F>;

    fn layer(&self, inner: S) -> MiddlewareFnService<F> {
        let inner = HandlerService::new(Handler::service(inner));
        MiddlewareFnService { function: self.0.clone(), inner }
    }
}

/// The service that [`middleware_fn`] makes.
#[derive(Clone)]
pub struct MiddlewareFnService<F> {
    function: F,
    inner: HandlerService,
}

impl<F> fmt::Debug for MiddlewareFnService<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiddlewareFnService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<F, Fut> Service<Ctx> for MiddlewareFnService<F>
where
    F: Fn(Ctx, Next) -> Fut,
    Fut: Future<Output = HandlerResult> + Send + 'static,
{
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, HandlerResult>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, ctx: Ctx) -> Self::Future {
        Box::pin((self.function)(ctx, Next(self.inner.clone())))
    }
}

/// What a middleware made by [`middleware_fn`] is put around.
#[derive(Debug)]
pub struct Next(HandlerService);

impl Next {
    /// Runs the task. Not calling it refuses the task.
    ///
    /// # Errors
    ///
    /// As the handler.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handler where it is.
    pub async fn run(mut self, ctx: Ctx) -> HandlerResult {
        self.0.call(ctx).await
    }
}
