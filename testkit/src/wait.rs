//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Polls `condition` until it gives something, for at most 30 seconds.
///
/// # Panics
///
/// When it never does; the message names `what`.
pub async fn eventually<T>(what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(30), what, condition).await
}

/// Polls `condition` until it gives something, for at most `limit`.
///
/// # Panics
///
/// When it never does; the message names `what`.
pub async fn eventually_within<T>(
    limit: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let give_up = Instant::now() + limit;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < give_up, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
