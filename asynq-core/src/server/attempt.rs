//! One attempt at a task: the handler against its deadline and its cancellation.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::router::{BoxError, Cancelled, HandlerResult};

/// The attempt took longer than its timeout or deadline allows. The text is Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("context deadline exceeded")]
pub struct DeadlineExceeded;

/// The handler panicked; the text is the panic's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("panic: {0}")]
pub struct Panicked(pub String);

/// Runs a handler to its end, or until `deadline`, when it is dropped. After a cancellation it has `grace` to end
/// by itself; what it returns then counts.
pub(super) async fn attempt(
    handler: impl Future<Output = HandlerResult>,
    deadline: Option<Instant>,
    cancellation: &CancellationToken,
    grace: Duration,
) -> HandlerResult {
    let handler = AssertUnwindSafe(handler).catch_unwind();
    tokio::pin!(handler);
    let until_deadline = async {
        let Some(at) = deadline else { return std::future::pending().await };
        sleep_until(at).await;
    };
    tokio::pin!(until_deadline);
    // The handler comes first: one that ends at once never touches the timer.
    let ended = tokio::select! {
        biased;
        ended = &mut handler => Some(ended),
        () = &mut until_deadline => return late(cancellation),
        () = cancellation.cancelled() => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        tokio::select! {
            biased;
            ended = timeout(grace, &mut handler) => match ended {
                Ok(ended) => ended,
                Err(_elapsed) => return Err(Cancelled.into()),
            },
            () = &mut until_deadline => return late(cancellation),
        }
    };
    ended.unwrap_or_else(|panic| Err(Panicked(panic_text(&*panic)).into()))
}

/// Past the deadline: whatever the handler handed on is told, too.
fn late(cancellation: &CancellationToken) -> HandlerResult {
    cancellation.cancel();
    Err(BoxError::from(DeadlineExceeded))
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "(not a text)".to_owned()
    }
}
