//! [`AtomicHistogram`]: counts observations without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::exposition::Histogram;

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

    /// What was observed so far; nothing if nothing was. An observation under way may be in the one number and not yet in
    /// the other.
    pub(super) fn read(&self) -> Option<Histogram> {
        let mut total = 0;
        let bounds = self.bounds.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds
            .zip(&self.counts)
            .map(|(bound, count)| {
                total += count.load(Ordering::Relaxed);
                (bound, total)
            })
            .collect();
        let sum = Duration::from_nanos(self.sum.load(Ordering::Relaxed)).as_secs_f64();
        (total > 0).then_some(Histogram { buckets, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let bounds = Arc::from([Duration::from_millis(5), Duration::from_secs(1)]);
        let histogram = AtomicHistogram::new(&bounds);
        assert_eq!(histogram.read(), None);
        for millis in [0, 5, 6, 1_000, 1_001] {
            histogram.observe(Duration::from_millis(millis));
        }
        let read = histogram.read().unwrap();
        assert_eq!(read.buckets, [(0.005, 2), (1.0, 4), (f64::INFINITY, 5)]);
        assert!((read.sum - 2.012).abs() < 1e-9);
    }
}
