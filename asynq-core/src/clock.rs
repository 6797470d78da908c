//! Where "now" comes from: the system, tokio's timer (virtual time), or a hand-moved clock.
//!
//! Every score, lease and date in the store is made from the wall clock of the process that writes it, as in
//! Go asynq; nothing here ever asks Redis for the time. Waiting is not this module's job: loops sleep on
//! `tokio::time`, so that a paused runtime runs them in no time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the wall-clock time. Cheap to clone; clones of one clock agree.
///
/// # Examples
///
/// ```
/// use asynq_core::clock::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::manual("2033-05-18T03:33:20Z".parse().unwrap());
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now().as_second(), 2_000_000_005);
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Virtual { start: Timestamp, since: Instant },
    Manual(Arc<AtomicI64>),
    Shifted(Arc<Clock>, SignedDuration),
}

impl Clock {
    /// The clock of the operating system.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that starts at `start` and moves with tokio's timer: under a paused runtime, wall time and
    /// sleeps advance together. Must be made inside a tokio runtime whose time is paused for that to hold.
    pub fn with_tokio_time(start: Timestamp) -> Self {
        Self(Source::Virtual { start, since: Instant::now() })
    }

    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        let nanos = i64::try_from(start.as_nanosecond()).unwrap_or(i64::MAX);
        Self(Source::Manual(Arc::new(AtomicI64::new(nanos))))
    }

    /// Moves a manual clock forward, for all its clones. Other clocks move by themselves: no effect on them.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            Source::Manual(nanos) => {
                nanos.fetch_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX), Ordering::SeqCst);
            }
            Source::Shifted(clock, _) => clock.advance(by),
            Source::System | Source::Virtual { .. } => {}
        }
    }

    /// This clock as one shows it that is ahead by so much (behind, if negative): the clock of another machine.
    #[must_use]
    pub fn shifted(&self, by: SignedDuration) -> Self {
        Self(Source::Shifted(Arc::new(self.clone()), by))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_now(),
            Source::Virtual { start, since } => {
                start.saturating_add(since.elapsed()).unwrap_or(Timestamp::MAX)
            }
            Source::Manual(nanos) => from_nanos(nanos.load(Ordering::SeqCst)),
            Source::Shifted(clock, by) => clock.now().saturating_add(*by).unwrap_or(Timestamp::MAX),
        }
    }

    /// The time now in whole seconds since the Unix epoch, rounded down: the unit of scores.
    pub fn unix_seconds(&self) -> i64 {
        floor_seconds(self.now())
    }

    /// The time now in nanoseconds since the Unix epoch: the unit of `pending_since`.
    pub fn unix_nanos(&self) -> i64 {
        i64::try_from(self.now().as_nanosecond()).unwrap_or(i64::MAX)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
fn system_now() -> Timestamp {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)),
        // A clock set before 1970 counts as the epoch: scores stay valid, and it mends itself.
        Err(_) => Timestamp::UNIX_EPOCH,
    }
}

fn from_nanos(nanos: i64) -> Timestamp {
    // Every i64 of nanoseconds (years 1677 to 2262) lies within jiff's range.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::MAX)
}

/// `at` in whole seconds since the Unix epoch, rounded down (also before 1970).
pub(crate) fn floor_seconds(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

/// `seconds` since the Unix epoch as an instant; out of range is cut to the nearest representable one.
pub(crate) fn from_unix_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
