//! [`AtomicHistogram`]: counts observations without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many lengths of time fell between which bounds, of those of a [`RunCounts`](super::RunCounts).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spread {
    /// How many fell up to each bound and above the one before; one more than there are bounds: the last is for what is
    /// above all.
    pub counts: Vec<u64>,
    /// All of them together.
    pub sum: Duration,
}

impl Spread {
    /// How many there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Counts how many lengths of time fell between which bounds.
#[derive(Debug)]
pub(super) struct AtomicHistogram {
    /// Upper bounds, ascending.
    bounds: Arc<[Duration]>,
    /// One more than bounds: the last is for what is above all.
    counts: Box<[AtomicU64]>,
    /// Nanoseconds: five centuries fit.
    sum: AtomicU64,
}

impl AtomicHistogram {
    pub(super) fn new(bounds: &Arc<[Duration]>) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds: Arc::clone(bounds), counts, sum: AtomicU64::new(0) }
    }

    pub(super) fn observe(&self, length: Duration) {
        let place = self.bounds.partition_point(|bound| *bound < length);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What was observed so far. An observation under way may be in the one number and not yet in the other.
    pub(super) fn read(&self) -> Spread {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Spread { counts, sum: Duration::from_nanos(self.sum.load(Ordering::Relaxed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let bounds = Arc::from([Duration::from_millis(5), Duration::from_secs(1)]);
        let histogram = AtomicHistogram::new(&bounds);
        assert_eq!(histogram.read().total(), 0);
        for millis in [0, 5, 6, 1_000, 1_001] {
            histogram.observe(Duration::from_millis(millis));
        }
        let read = histogram.read();
        assert_eq!((read.counts.as_slice(), read.total()), ([2, 2, 1].as_slice(), 5));
        assert_eq!(read.sum, Duration::from_millis(2_012));
    }
}
