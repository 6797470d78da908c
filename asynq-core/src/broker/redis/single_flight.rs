//! [`SingleFlight`]: what many need at the same time is made once.
//!
//! All who need it drive the same future, so that it goes on as long as one of them is polled. A lock would not do: who
//! holds it may be polled no more while it waits for somebody who needs the lock, as a worker does who makes a call
//! between two looks at its queues.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// The latest attempt; over when it has ended, or when all who shared it are gone.
pub(super) struct SingleFlight<T>(Mutex<Option<WeakShared<BoxFuture<'static, T>>>>);

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> SingleFlight<T> {
    /// The attempt that is under way, or a new one.
    pub(super) fn join(
        &self,
        begin: impl FnOnce() -> BoxFuture<'static, T>,
    ) -> Shared<BoxFuture<'static, T>> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way =
            latest.as_ref().and_then(WeakShared::upgrade).filter(|attempt| attempt.peek().is_none());
        under_way.unwrap_or_else(|| {
            let attempt = begin().shared();
            *latest = attempt.downgrade();
            attempt
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::yield_now;

    use super::*;

    /// Attempts that take a while, each with its number.
    fn attempts() -> impl Fn() -> BoxFuture<'static, usize> {
        let begun = Arc::new(AtomicUsize::new(0));
        move || {
            let number = begun.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                yield_now().await;
                number
            }
            .boxed()
        }
    }

    #[tokio::test]
    async fn all_who_come_in_time_share_an_attempt() {
        let (flight, begin) = (SingleFlight::default(), attempts());
        let (one, two) = (flight.join(&begin), flight.join(&begin));
        assert_eq!(tokio::join!(one, two), (1, 1));
        assert_eq!(flight.join(&begin).await, 2, "that one is over");
    }

    #[tokio::test]
    async fn who_is_polled_no_more_holds_nobody_up() {
        let (flight, begin) = (SingleFlight::default(), attempts());
        let mut first = flight.join(&begin);
        assert!(futures_util::poll!(&mut first).is_pending());
        assert_eq!(flight.join(&begin).await, 1);
        assert_eq!(first.await, 1);
    }

    #[tokio::test]
    async fn an_attempt_goes_with_the_last_who_needs_it() {
        let (flight, begin) = (SingleFlight::default(), attempts());
        let (mut first, second) = (flight.join(&begin), flight.join(&begin));
        assert!(futures_util::poll!(&mut first).is_pending());
        drop(first);
        assert_eq!(second.await, 1);
        drop(flight.join(&begin));
        assert_eq!(flight.join(&begin).await, 3);
    }
}
