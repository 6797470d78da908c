//! [`RetryPolicy`]: when a failed task is tried again. Pure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::BoxError;
use crate::job::Length;

/// When a failed task is tried again.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum RetryPolicy {
    /// Go asynq's: grows with the fourth power of the retries so far, from 15 to 44 seconds before the first to
    /// four days before the 25th.
    #[default]
    Go,
    /// Always after the same time.
    Fixed(Duration),
    /// Doubling from `base` to at most `max`, less a random part of up to a half, so that tasks that failed
    /// together do not come back together.
    Exponential {
        /// Delay before the first retry.
        base: Duration,
        /// No delay is longer.
        max: Duration,
    },
    /// As a function says: of the task's type, how often it was retried before (0 at its first failure), and the
    /// error.
    Custom(Arc<DelayFn>),
}

/// A function of task type, retries so far and error.
pub type DelayFn = dyn Fn(&str, i32, &BoxError) -> Duration + Send + Sync;

impl RetryPolicy {
    /// As a function says, of the retries so far (0 at the first failure) and the error.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use asynq_core::router::RetryPolicy;
    ///
    /// let policy = RetryPolicy::of(|retried, _| Duration::from_secs(10 * (retried as u64 + 1)));
    /// assert_eq!(policy.delay("email:send", 2, &"no route to host".into()), Duration::from_secs(30));
    /// ```
    pub fn of(delay: impl Fn(i32, &BoxError) -> Duration + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(move |_, retried, error| delay(retried, error)))
    }

    /// The delay of a task of this type that was retried `retried` times before it failed with `error`.
    pub fn delay(&self, task_type: &str, retried: i32, error: &BoxError) -> Duration {
        match self {
            Self::Go => default_delay(retried, fastrand::u32(0..30)),
            Self::Fixed(delay) => *delay,
            Self::Exponential { base, max } => {
                let doublings = retried.clamp(0, 31).unsigned_abs();
                let full = base.saturating_mul(1 << doublings).min(*max);
                full.mul_f64(fastrand::f64().mul_add(-0.5, 1.0))
            }
            Self::Custom(delay) => delay(task_type, retried, error),
        }
    }
}

/// Go asynq's default: `retried⁴ + 15 + random × (retried + 1)` seconds, `random` from 0 to 29.
pub fn default_delay(retried: i32, random: u32) -> Duration {
    let n = u64::from(retried.max(0).unsigned_abs());
    let seconds =
        n.saturating_pow(4).saturating_add(15).saturating_add(u64::from(random).saturating_mul(n + 1));
    // Go's longest time, 292 years: there it would overflow, and the task would be retried at once.
    Duration::from_secs(seconds.min(i64::MAX.unsigned_abs() / 1_000_000_000))
}

/// As `#[job(backoff = …)]` writes it, without the quotes; of a function, that it is one.
impl fmt::Display for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Go => f.write_str("as in Go"),
            Self::Fixed(delay) => write!(f, "fixed({})", Length(*delay)),
            Self::Exponential { base, max } => {
                write!(f, "exponential({}, max = {})", Length(*base), Length(*max))
            }
            Self::Custom(_) => f.write_str("a function"),
        }
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Go => f.write_str("Go"),
            Self::Fixed(delay) => f.debug_tuple("Fixed").field(delay).finish(),
            Self::Exponential { base, max } => {
                f.debug_struct("Exponential").field("base", base).field("max", max).finish()
            }
            Self::Custom(_) => f.write_str("Custom(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_gos_formula() {
        assert_eq!(default_delay(0, 0), Duration::from_secs(15));
        assert_eq!(default_delay(0, 29), Duration::from_secs(44));
        assert_eq!(default_delay(24, 29), Duration::from_secs(24_u64.pow(4) + 15 + 29 * 25));
        assert_eq!(default_delay(-1, 3), Duration::from_secs(18));
        assert_eq!(default_delay(300, 29), Duration::from_secs(300_u64.pow(4) + 15 + 29 * 301));
        assert_eq!(default_delay(i32::MAX, 29), Duration::from_secs(9_223_372_036));
    }

    #[test]
    fn a_policy_is_written_as_in_the_source() {
        let (short, long) = (Duration::from_secs(2), Duration::from_secs(600));
        let policies = [
            (RetryPolicy::Go, "as in Go"),
            (RetryPolicy::Fixed(short), "fixed(2s)"),
            (RetryPolicy::Exponential { base: short, max: long }, "exponential(2s, max = 10m)"),
            (RetryPolicy::of(move |_, _| short), "a function"),
        ];
        for (policy, text) in policies {
            assert_eq!(policy.to_string(), text);
        }
    }

    #[test]
    fn exponential_delays_stay_within_their_bounds() {
        let policy = RetryPolicy::Exponential { base: Duration::from_secs(2), max: Duration::from_secs(60) };
        for retried in [0, 1, 4, 5, 40, i32::MAX] {
            let full =
                Duration::from_secs(2).saturating_mul(1 << retried.min(31)).min(Duration::from_secs(60));
            let delay = policy.delay("t", retried, &"boom".into());
            assert!(delay <= full && delay >= full / 2, "{retried}: {delay:?} of {full:?}");
        }
    }
}
