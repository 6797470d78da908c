//! [`RunTimes`] and [`Durations`]: what servers leave in the store of how long runs took, for whoever draws it.
//!
//! It is JSON: a list of objects with `queue`, `type`, `finished`, `failed`, `ran` and `waited`. The last two say how many
//! lengths of time fell into which bucket, by its number; a bucket that is empty is left out. All numbers count since the
//! server has started. Names that a reader does not know may come; what it cannot read it takes for nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{RunCounts, RunOutcome, RunSeries, Spread};

/// How many buckets have an upper bound: each that of the one before times the square root of two, from an eighth of a
/// millisecond to four and a half hours.
const BOUNDS: i32 = 55;

/// The first bound, in seconds.
const FIRST: f64 = 0.000_125;

/// How many types of a server have a name of their own.
const MAX_TYPES: usize = 100;

/// How many queues and types together a server tells of, so that what it writes stays below a hundred kilobytes.
const MAX_SERIES: usize = 300;

/// What a server counted for one queue and type since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunTimes {
    /// The queue.
    pub queue: String,
    /// The type; `other` for those that were too many.
    #[serde(rename = "type")]
    pub task_type: String,
    /// Runs that ended; what was put back is none.
    pub finished: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// How long they took.
    pub ran: Durations,
    /// How long their tasks were pending.
    pub waited: Durations,
}

/// How many lengths of time fell between which bounds, exact to a factor of the square root of two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Durations(BTreeMap<u8, u64>);

impl RunTimes {
    /// A counter whose numbers can be written as [`RunTimes`].
    pub fn counter() -> RunCounts {
        RunCounts::limited((0..BOUNDS).map(bound), MAX_TYPES, MAX_SERIES)
    }

    /// What a [`counter`](Self::counter) has counted, by queue and type.
    pub fn of(counts: &RunCounts) -> Vec<Self> {
        let mut all: Vec<Self> = counts.read().iter().map(Self::new).collect();
        all.sort_by(|a, b| (&a.queue, &a.task_type).cmp(&(&b.queue, &b.task_type)));
        all
    }

    fn new(series: &RunSeries) -> Self {
        let ended = RunOutcome::ALL.into_iter().filter(|outcome| *outcome != RunOutcome::PutBack);
        let finished = ended.map(|outcome| series.count(outcome)).sum::<u64>();
        Self {
            queue: series.queue.to_string(),
            task_type: series.task_type.to_string(),
            finished,
            failed: finished.saturating_sub(series.count(RunOutcome::Ok)),
            ran: Durations::from(&series.ran),
            waited: Durations::from(&series.waited),
        }
    }

    /// As it is stored.
    pub fn encode(all: &[Self]) -> Vec<u8> {
        // Texts and numbers can always be written.
        serde_json::to_vec(all).unwrap_or_default()
    }

    /// What was stored; nothing where that cannot be read.
    pub fn decode(bytes: &[u8]) -> Vec<Self> {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// What was counted since an earlier look at the same server; all of it when the server has started anew.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        if earlier.finished > self.finished {
            return self.clone();
        }
        Self {
            queue: self.queue.clone(),
            task_type: self.task_type.clone(),
            finished: self.finished.saturating_sub(earlier.finished),
            failed: self.failed.saturating_sub(earlier.failed),
            ran: self.ran.since(&earlier.ran),
            waited: self.waited.since(&earlier.waited),
        }
    }
}

impl Durations {
    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |total, count| total.saturating_add(*count))
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            let sum = self.0.entry(*bucket).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// Those that came since an earlier look.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let left = |(bucket, count): (&u8, &u64)| {
            let count = count.saturating_sub(earlier.0.get(bucket).copied().unwrap_or(0));
            (count > 0).then_some((*bucket, count))
        };
        Self(self.0.iter().filter_map(left).collect())
    }

    /// The length of time that this share of them, from 0 to 1, does not exceed; `None` where there are none. Between two
    /// bounds they count as spread evenly; of what is above the last bound, that is all that is known.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let rank = share.clamp(0.0, 1.0) * float(total);
        let (mut below, mut found) = (0.0, 0.0);
        for (bucket, count) in &self.0 {
            let (bucket, count) = (i32::from(*bucket), float(*count));
            let upper = bound(bucket.min(BOUNDS - 1)).as_secs_f64();
            let lower = match bucket {
                0 => 0.0,
                bucket if bucket >= BOUNDS => upper,
                bucket => bound(bucket - 1).as_secs_f64(),
            };
            let part = ((rank - below) / count).clamp(0.0, 1.0);
            found = part.mul_add(upper - lower, lower);
            below += count;
            if below >= rank {
                break;
            }
        }
        Some(Duration::from_secs_f64(found))
    }
}

impl From<&Spread> for Durations {
    fn from(spread: &Spread) -> Self {
        let counts = (0..=u8::MAX).zip(&spread.counts).filter(|(_, count)| **count > 0);
        Self(counts.map(|(bucket, count)| (bucket, *count)).collect())
    }
}

/// The upper bound of a bucket.
fn bound(bucket: i32) -> Duration {
    Duration::from_secs_f64(FIRST * 2_f64.powf(f64::from(bucket) / 2.0))
}

#[expect(clippy::cast_precision_loss, reason = "a share of them")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Observer, Run};

    fn counted(runs: &[(RunOutcome, u64)]) -> RunTimes {
        let counts = RunTimes::counter();
        for (outcome, millis) in runs {
            let run = Run::new("mail\n", "email:\"send\"");
            counts.started(&run, Some(Duration::from_millis(millis * 2)));
            counts.ended(&run, *outcome, Some(Duration::from_millis(*millis)));
        }
        RunTimes::of(&counts).pop().unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_nonsense_is_nothing() {
        let times = counted(&[
            (RunOutcome::Ok, 1),
            (RunOutcome::Retry, 900),
            (RunOutcome::PutBack, 5),
            (RunOutcome::Ok, 0),
        ]);
        assert_eq!((times.finished, times.failed, times.ran.total(), times.waited.total()), (3, 1, 3, 4));
        let bytes = RunTimes::encode(std::slice::from_ref(&times));
        assert_eq!(RunTimes::decode(&bytes), [times]);
        let newer =
            br#"[{"queue":"q","type":"t","finished":1,"failed":0,"ran":{"3":1},"waited":{},"new":[1]}]"#;
        assert_eq!(RunTimes::decode(newer).len(), 1);
        for nonsense in [&b""[..], b"{}", b"[1]", b"\xff", br#"[{"queue":"q"}]"#] {
            assert_eq!(RunTimes::decode(nonsense), []);
        }
    }

    #[test]
    fn only_what_is_new_counts() {
        let (before, now) =
            (counted(&[(RunOutcome::Ok, 1)]), counted(&[(RunOutcome::Ok, 1), (RunOutcome::Retry, 40)]));
        let new = now.since(&before);
        assert_eq!((new.finished, new.failed, new.ran.total()), (1, 1, 1));
        assert!(new.ran.quantile(0.5).unwrap() > Duration::from_millis(20));
        assert_eq!(before.since(&now), before, "a server that started anew");
    }

    #[test]
    fn shares_are_between_the_bounds_that_hold_them() {
        assert_eq!(Durations::default().quantile(0.5), None);
        let lengths: Vec<_> = (1..=100).map(|millis| (RunOutcome::Ok, millis * 10)).collect();
        let ran = counted(&lengths).ran;
        for (share, exact) in [(0.0, 0.01), (0.5, 0.5), (0.95, 0.95), (0.99, 0.99), (1.0, 1.0)] {
            let found = ran.quantile(share).unwrap().as_secs_f64();
            assert!(
                found / exact < std::f64::consts::SQRT_2 && exact / found < std::f64::consts::SQRT_2,
                "{share}: {found}"
            );
        }
        let long = counted(&[(RunOutcome::Ok, 1_000_000_000)]).ran;
        assert!(long.quantile(0.5).unwrap() > Duration::from_secs(4 * 3600));
        assert_eq!(bound(6), Duration::from_millis(1));
    }
}
