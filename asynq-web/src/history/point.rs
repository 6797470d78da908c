//! [`Point`]: what a queue did in a while, and how it stood at the end of it.

use std::time::Duration;

use asynq_core::inspector::QueueInfo;
use asynq_core::task::TaskState;

use super::ring::Merge;

/// What a queue did in a while, and how it stood at the end of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Point {
    /// The while, in milliseconds; zero where nothing is known of what was done.
    over: u32,
    processed: u32,
    failed: u32,
    /// In the order of [`TaskState::ALL`].
    sizes: [u32; TaskState::ALL.len()],
    /// In milliseconds.
    latency: u32,
}

impl Point {
    /// How a queue stands; what it did is not known.
    pub(super) fn standing(queue: &QueueInfo) -> Self {
        let sizes = TaskState::ALL.map(|state| u32::try_from(queue.count(state)).unwrap_or(u32::MAX));
        Self { sizes, latency: millis(queue.latency), ..Self::default() }
    }

    /// The same, and what it did meanwhile.
    pub(super) fn doing(self, over: Duration, processed: u64, failed: u64) -> Self {
        let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self { over: millis(over), processed: count(processed), failed: count(failed), ..self }
    }

    /// So many equal parts of it, one after another; the last has what does not divide.
    pub(super) fn parts(self, parts: u32) -> Vec<Self> {
        let parts = parts.max(1);
        let mut all = vec![self; usize::try_from(parts).unwrap_or(1)];
        for (place, part) in (1..).zip(&mut all) {
            let share =
                |whole: u32| if place < parts { whole / parts } else { whole - whole / parts * (parts - 1) };
            part.over = share(self.over);
            part.processed = share(self.processed);
            part.failed = share(self.failed);
        }
        all
    }

    /// Together with another queue in the same while.
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.over = self.over.max(other.over);
        self.processed = self.processed.saturating_add(other.processed);
        self.failed = self.failed.saturating_add(other.failed);
        for (size, other) in self.sizes.iter_mut().zip(other.sizes) {
            *size = size.saturating_add(other);
        }
        self.latency = self.latency.max(other.latency);
        self
    }

    /// How many tasks were processed each second.
    pub(crate) fn processed_rate(&self) -> Option<f64> {
        self.rate(self.processed)
    }

    /// How many runs failed each second.
    pub(crate) fn failed_rate(&self) -> Option<f64> {
        self.rate(self.failed)
    }

    fn rate(&self, count: u32) -> Option<f64> {
        (self.over > 0).then(|| f64::from(count) * 1_000.0 / f64::from(self.over))
    }

    /// What share failed, per cent; `None` where nothing was processed.
    pub(crate) fn error_rate(&self) -> Option<f64> {
        (self.processed > 0).then(|| f64::from(self.failed) * 100.0 / f64::from(self.processed))
    }

    /// How many tasks it held in a state.
    pub(crate) fn count(&self, state: TaskState) -> u32 {
        let mut sizes = TaskState::ALL.into_iter().zip(self.sizes);
        sizes.find_map(|(known, size)| (known == state).then_some(size)).unwrap_or(0)
    }

    /// How many it held in all.
    pub(crate) fn size(&self) -> u32 {
        self.sizes.iter().fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// How long the oldest pending task had waited, in seconds.
    pub(crate) fn latency(&self) -> f64 {
        f64::from(self.latency) / 1_000.0
    }
}

impl Merge for Point {
    fn merge(&mut self, later: &Self) {
        self.over = self.over.saturating_add(later.over);
        self.processed = self.processed.saturating_add(later.processed);
        self.failed = self.failed.saturating_add(later.failed);
        self.sizes = later.sizes;
        // A queue that was late for a moment was late.
        self.latency = self.latency.max(later.latency);
    }
}

fn millis(length: Duration) -> u32 {
    u32::try_from(length.as_millis()).unwrap_or(u32::MAX)
}
