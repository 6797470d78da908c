//! [`Backoff`]: how a loop behaves while the broker is away: it waits longer each time, and says so once.

use std::time::Duration;

use crate::broker::BrokerError;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Counts the failures of one loop.
#[derive(Debug)]
pub(crate) struct Backoff {
    what: &'static str,
    failures: u32,
}

impl Backoff {
    /// For the loop that does `what`.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, failures: 0 }
    }

    /// Something failed: how long to wait before the next try, with jitter so that a fleet does not return at
    /// one instant.
    pub(crate) fn failed(&mut self, error: &BrokerError) -> Duration {
        let error: &(dyn std::error::Error + 'static) = error;
        if self.failures == 0 {
            tracing::warn!(loop_name = self.what, error, "broker call failed; trying again until it works");
        } else {
            tracing::debug!(loop_name = self.what, error, failures = self.failures, "still failing");
        }
        let full = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        full.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }

    /// Something worked: whether it had failed before.
    pub(crate) fn worked(&mut self) -> bool {
        let had_failed = self.failures > 0;
        if had_failed {
            tracing::info!(loop_name = self.what, failures = self.failures, "broker works again");
            self.failures = 0;
        }
        had_failed
    }
}
