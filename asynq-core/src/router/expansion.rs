//! What the handler that `#[job]` generates calls: kept here so that the generated code stays thin.

use std::future::Future;

use futures_util::future::BoxFuture;
use tokio_util::task::AbortOnDropHandle;

use super::{
    BoxError, Ctx, ExtractError, FromContext, Handler, HandlerResult, IntoOutcome, Middleware, Requirement,
};
use crate::job::Job;

/// Boxes the future of a handler. The macro calls it with the span of the user's function, so that a future that
/// cannot be sent to another thread is reported there.
pub fn boxed<F>(future: F) -> BoxFuture<'static, HandlerResult>
where
    F: Future<Output = HandlerResult> + Send + 'static,
{
    Box::pin(future)
}

/// Runs the function of a job that blocks, on a thread for such work. A thread cannot be stopped: where the future is
/// dropped before its function has ended, the context knows, and the run keeps its slot until then. One that still
/// waits for a thread never gets one.
///
/// # Errors
///
/// As the function; or that the runtime ended first.
pub async fn blocking(ctx: Ctx, function: impl FnOnce() -> HandlerResult + Send + 'static) -> HandlerResult {
    let working = ctx.begin_blocking();
    let thread = AbortOnDropHandle::new(tokio::task::spawn_blocking(move || {
        let _working = working;
        function()
    }));
    match thread.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        // As if it had run here: what a panic means is the worker's business.
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_ended)) => Err("the runtime was shut down before the job could run".into()),
    }
}

/// The job that is the payload of a task.
///
/// # Errors
///
/// [`BadPayload`](super::BadPayload): trying again would read the same bytes, so it archives the task.
pub fn decode<J: Job>(ctx: &Ctx) -> Result<J, BoxError> {
    Ok(ctx.job()?)
}

/// The `N`th parameter of a job's function is made from the context. `#[job]` implements it for each such parameter,
/// on a private type: the one place where a type that is no [`FromContext`] is reported.
pub trait Injected<const N: usize> {
    /// The type of the parameter.
    type Value: FromContext;
}

/// Makes the `N`th parameter.
///
/// # Errors
///
/// As its [`FromContext`].
pub fn extract<J: Injected<N>, const N: usize>(
    ctx: &Ctx,
) -> impl Future<Output = Result<J::Value, ExtractError>> + Send {
    J::Value::from_context(ctx)
}

/// The handler of a job behind the middleware of its `layer = …`.
pub fn layered<M: Middleware>(handler: Handler, layer: &M) -> Handler {
    layer.wrap(handler)
}

/// Compiles where a function that returns `R` is a handler for the job: the job says what its result is.
pub const fn returns<J: Job, R: IntoOutcome<Output = J::Output>>() {}

/// What the `N`th parameter needs from the server.
pub fn requirement<J: Injected<N>, const N: usize>() -> Option<Requirement> {
    J::Value::requirement()
}
