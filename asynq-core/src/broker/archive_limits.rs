//! [`ArchiveLimits`]: how much of what was given up is kept.

use std::time::Duration;

/// How many archived tasks of a queue are kept, and for how long. The oldest go first, with all that is stored of them.
///
/// A queue is trimmed when something is archived in it, and what is too old also now and then by servers. Go programs
/// that archive in the same queue trim it to their own limits, which are the default here and cannot be changed there.
///
/// ```
/// use std::time::Duration;
///
/// use asynq_core::broker::ArchiveLimits;
///
/// let week = ArchiveLimits { age: Duration::from_secs(7 * 24 * 3600), ..ArchiveLimits::default() };
/// assert_eq!(week.tasks, 9_999);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// How many tasks; 0 keeps none: what is given up is deleted, and its lock released.
    pub tasks: usize,
    /// For how long, in whole seconds.
    pub age: Duration,
}

impl ArchiveLimits {
    /// Go's, which are the default: 9,999 tasks, 90 days.
    pub const GO: Self = Self { tasks: 9_999, age: Duration::from_secs(90 * 24 * 3600) };

    /// Nothing is kept.
    pub const NONE: Self = Self { tasks: 0, ..Self::GO };

    /// What was archived at this Unix second or before is too old at `now`.
    pub(crate) fn cutoff(&self, now: i64) -> i64 {
        now.saturating_sub(i64::try_from(self.age.as_secs()).unwrap_or(i64::MAX))
    }
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self::GO
    }
}
