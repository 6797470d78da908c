//! [`Health`] and [`HealthChecker`]: whether the broker answers, and how far its clock is from ours.
//!
//! Leases, schedules and locks go by the clock of whoever writes them. No decision of ours compares two clocks, so a
//! clock that is wrong loses nothing; but what is due, expires or is shown is off by that much. So it is told.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::background::guarded;
use crate::broker::{Broker, BrokerError};

/// Clocks that differ by this much are warned about.
const TOLERATED: SignedDuration = SignedDuration::from_secs(3);

/// A difference that has changed by this much since the last warning is told again.
const CHANGED: SignedDuration = SignedDuration::from_secs(1);

/// What a health check found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// When it was made, by this machine's clock.
    pub at: Timestamp,
    /// Why the broker did not answer; `None` when it did.
    pub error: Option<BrokerError>,
    /// How far the broker's clock was ahead of this machine's when it was last asked; `None` while it has not told.
    /// Half a round trip of it is uncertain.
    pub clock_offset: Option<SignedDuration>,
}

/// Called with the result of each health check.
pub(super) type OnHealth = Arc<dyn Fn(&Health) + Send + Sync>;

/// Asks the broker now and then, until told to stop.
pub(super) struct HealthChecker {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) interval: Duration,
    pub(super) on_health: Option<OnHealth>,
    pub(super) health: watch::Sender<Health>,
}

impl HealthChecker {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut warned = None;
        let mut delay = Duration::ZERO;
        while stop.run_until_cancelled(sleep(delay)).await.is_some() {
            delay = self.interval;
            let (error, clock_offset) = match self.compare_clocks(&mut warned).await {
                Ok(offset) => (None, Some(offset)),
                Err(error) if error.may_pass() => (Some(error), None),
                // It may be that it only does not tell its time.
                Err(error) => {
                    tracing::debug!(%error, "the broker does not tell its time");
                    (self.broker.ping().await.err(), None)
                }
            };
            let health = Health {
                at: self.broker.clock().now(),
                error,
                clock_offset: clock_offset.or(self.health.borrow().clock_offset),
            };
            if let Some(on_health) = &self.on_health {
                guarded("the health check callback", || on_health(&health));
            }
            self.health.send_replace(health);
        }
    }

    /// How far the broker's clock is ahead of ours; warns when that is much.
    async fn compare_clocks(
        &self,
        warned: &mut Option<SignedDuration>,
    ) -> Result<SignedDuration, BrokerError> {
        let clock = self.broker.clock();
        let before = clock.now();
        let told = self.broker.time().await?;
        let after = clock.now();
        let uncertain = after.duration_since(before) / 2;
        let offset = told.duration_since(before) - uncertain;
        match news(offset, uncertain, *warned) {
            News::None => {}
            News::Differ => {
                *warned = Some(offset);
                let seconds = offset.as_secs_f64();
                tracing::warn!(
                    seconds,
                    "the broker's clock is ahead of this machine's by that much (behind, if negative): tasks that are \
                     scheduled, retried, expire or have a deadline are early or late by it, and so are the times \
                     shown; none is lost or run twice for it; set the clocks by NTP"
                );
            }
            News::Agree => {
                *warned = None;
                tracing::info!("this machine's clock agrees with the broker's again");
            }
        }
        Ok(offset)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum News {
    None,
    Differ,
    Agree,
}

/// What to tell of an offset that may be wrong by `uncertain`, after one that was `warned` about.
fn news(offset: SignedDuration, uncertain: SignedDuration, warned: Option<SignedDuration>) -> News {
    let differs = offset.abs() - uncertain >= TOLERATED;
    match warned {
        None if differs => News::Differ,
        Some(before) if differs && (offset - before).abs() >= CHANGED + uncertain => News::Differ,
        Some(_) if !differs && offset.abs() + uncertain < TOLERATED => News::Agree,
        _ => News::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_once_and_again_when_it_changes() {
        let told = |offset, uncertain, warned: Option<i64>| {
            let millis = SignedDuration::from_millis;
            news(millis(offset), millis(uncertain), warned.map(millis))
        };
        assert_eq!(told(2_900, 0, None), News::None);
        assert_eq!(told(-3_000, 0, None), News::Differ);
        assert_eq!(told(3_500, 600, None), News::None, "it may be less");
        assert_eq!(told(-3_900, 0, Some(-3_000)), News::None);
        assert_eq!(told(-4_100, 0, Some(-3_000)), News::Differ);
        assert_eq!(told(20_000, 0, Some(-20_000)), News::Differ);
        assert_eq!(told(100, 10, Some(-20_000)), News::Agree);
        assert_eq!(told(100, 10, None), News::None);
    }
}
