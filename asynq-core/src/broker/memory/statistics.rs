//! [`Statistics`]: the counters of one queue.

use std::collections::BTreeMap;

use super::store::Moment;
use crate::broker::STATISTICS_AGE;

const SECONDS_PER_DAY: i64 = 24 * 3600;

/// What a batch of settlements adds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Increment {
    pub(super) processed: i64,
    pub(super) failed: i64,
}

impl Increment {
    /// Counts a success.
    pub(super) fn success(&mut self) {
        self.processed += 1;
    }

    /// Counts a failure.
    pub(super) fn failure(&mut self) {
        self.processed += 1;
        self.failed += 1;
    }
}

/// The counters of one queue: since ever, and by UTC day. A counter that never counted does not exist.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) processed: Option<i64>,
    pub(super) failed: Option<i64>,
    /// Archived tasks that were trimmed.
    pub(super) trimmed: Option<i64>,
    /// By number of days since the Unix epoch.
    days: BTreeMap<i64, Day>,
}

/// The counters of one day.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Day {
    pub(super) processed: Option<Daily>,
    pub(super) failed: Option<Daily>,
}

/// A counter that goes away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Daily {
    pub(super) value: i64,
    /// Unix seconds; set by the first count and never moved.
    pub(super) expires_at: i64,
}

impl Statistics {
    /// Adds what a batch counted.
    pub(super) fn add(&mut self, by: Increment, now: Moment) {
        if by.processed == 0 {
            return;
        }
        self.drop_expired(now.seconds);
        let day = self.days.entry(now.seconds.div_euclid(SECONDS_PER_DAY)).or_default();
        add_daily(&mut day.processed, by.processed, now);
        add_daily(&mut day.failed, by.failed, now);

        // Compat: only `processed` tells whether to start again, and then for both.
        let restart = self.processed.is_some_and(is_full);
        add_total(&mut self.processed, by.processed, restart);
        add_total(&mut self.failed, by.failed, restart);
    }

    /// Adds archived tasks that were trimmed.
    pub(super) fn add_trimmed(&mut self, count: usize) {
        if count > 0 {
            add_total(&mut self.trimmed, i64::try_from(count).unwrap_or(i64::MAX), false);
        }
    }

    /// Tasks processed and attempts failed on the day of this Unix second.
    pub(super) fn of_day(&self, at_seconds: i64, now_seconds: i64) -> (i64, i64) {
        let day = self.days.get(&at_seconds.div_euclid(SECONDS_PER_DAY)).copied().unwrap_or_default();
        let value = |daily: Option<Daily>| {
            daily.filter(|daily| daily.expires_at > now_seconds).map_or(0, |daily| daily.value)
        };
        (value(day.processed), value(day.failed))
    }

    /// Forgets days that are over.
    pub(super) fn drop_expired(&mut self, now_seconds: i64) {
        self.days.retain(|_, day| {
            day.processed = day.processed.filter(|daily| daily.expires_at > now_seconds);
            day.failed = day.failed.filter(|daily| daily.expires_at > now_seconds);
            day.processed.is_some() || day.failed.is_some()
        });
    }

    /// The days, each by the Unix second it began.
    #[cfg(any(test, feature = "__conformance"))]
    pub(super) fn days(&self) -> impl Iterator<Item = (i64, Day)> {
        self.days.iter().map(|(day, counters)| (day * SECONDS_PER_DAY, *counters))
    }
}

fn add_daily(counter: &mut Option<Daily>, by: i64, now: Moment) {
    if by == 0 {
        return;
    }
    let age = i64::try_from(STATISTICS_AGE.as_secs()).unwrap_or(i64::MAX);
    let daily = counter.get_or_insert(Daily { value: 0, expires_at: now.seconds.saturating_add(age) });
    daily.value = daily.value.saturating_add(by);
}

fn add_total(counter: &mut Option<i64>, by: i64, restart: bool) {
    if by != 0 {
        *counter = Some(if restart { by } else { counter.unwrap_or(0).saturating_add(by) });
    }
}

/// Whether a lifetime counter can count no further.
#[expect(
    clippy::cast_precision_loss,
    reason = "Compat: Lua compares as doubles, so rounding is the rule here"
)]
fn is_full(total: i64) -> bool {
    total as f64 >= i64::MAX as f64
}
