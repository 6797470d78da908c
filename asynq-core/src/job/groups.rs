//! [`GroupSettings`]: when a group of tasks is made into one.

use std::time::Duration;

/// When the tasks of a group are made into one, and how long that may take. What is not set falls back: from an
/// aggregator's settings to those of the queue, to those of the server, to the default.
///
/// Durations count in whole seconds; fractions are cut.
///
/// # Examples
///
/// ```
/// use asynq_core::job::GroupSettings;
/// use std::time::Duration;
///
/// let settings = GroupSettings::new()
///     .grace(Duration::from_secs(30))
///     .max_delay(Duration::from_secs(300))
///     .max_size(100);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {
    pub(crate) grace: Option<Duration>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) max_size: Option<usize>,
    pub(crate) timeout: Option<Duration>,
}

impl GroupSettings {
    /// The grace period where none is set: one minute, as in Go.
    pub const DEFAULT_GRACE: Duration = Duration::from_secs(60);

    /// The time limit of an aggregator where none is set: half an hour, as that of a task.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1_800);

    /// The most tasks that are ever made into one. More of them make several.
    pub const LARGEST: usize = 10_000;

    /// Nothing set.
    pub const fn new() -> Self {
        Self { grace: None, max_delay: None, max_size: None, timeout: None }
    }

    /// A group is ready when no task was added to it for this long: one second or more. Default: one minute.
    #[must_use]
    pub const fn grace(mut self, period: Duration) -> Self {
        self.grace = Some(period);
        self
    }

    /// A group is ready when its oldest task has waited this long, whatever is still added to it: one second or more.
    /// Default: no limit.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = Some(delay);
        self
    }

    /// A group is ready when it has this many tasks, and no more are made into one: from 1 to
    /// [`LARGEST`](Self::LARGEST). Default: the largest, without being ready for it.
    #[must_use]
    pub const fn max_size(mut self, tasks: usize) -> Self {
        self.max_size = Some(tasks);
        self
    }

    /// How long an aggregator may take: one second or more. Default: half an hour. Its tasks stay, and are given to it
    /// again.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// These settings with `over`'s in front.
    #[must_use]
    pub fn overlaid_by(self, over: Self) -> Self {
        Self {
            grace: over.grace.or(self.grace),
            max_delay: over.max_delay.or(self.max_delay),
            max_size: over.max_size.or(self.max_size),
            timeout: over.timeout.or(self.timeout),
        }
    }

    /// The first setting that is out of range, and what is allowed.
    pub(crate) fn wrong(&self) -> Option<String> {
        let lengths = [("grace", self.grace), ("max_delay", self.max_delay), ("timeout", self.timeout)];
        for (name, length) in lengths {
            if let Some(length) = length.filter(|length| *length < Duration::from_secs(1)) {
                return Some(format!("`{name}` must be one second or more, got {length:?}"));
            }
        }
        match self.max_size {
            Some(0) => Some("`max_size` must be 1 or more, got 0; leave it out for no limit".to_owned()),
            Some(size) if size > Self::LARGEST => {
                Some(format!("`max_size` must be at most {}, got {size}", Self::LARGEST))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_later_wins_and_the_rest_stays() {
        let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
        let queue = GroupSettings::new().grace(one).max_size(5);
        let both = queue.overlaid_by(GroupSettings::new().grace(two).timeout(one));
        assert_eq!(both, GroupSettings::new().grace(two).max_size(5).timeout(one));
    }

    #[test]
    fn what_is_out_of_range_is_told_with_what_is_allowed() {
        let new = GroupSettings::new;
        let half = Duration::from_millis(500);
        for (settings, wrong) in [
            (new().grace(half), "`grace` must be one second or more, got 500ms"),
            (new().max_delay(Duration::ZERO), "`max_delay` must be one second or more, got 0ns"),
            (new().timeout(half), "`timeout` must be one second or more, got 500ms"),
            (new().max_size(0), "`max_size` must be 1 or more, got 0; leave it out for no limit"),
            (new().max_size(10_001), "`max_size` must be at most 10000, got 10001"),
        ] {
            assert_eq!(settings.wrong().as_deref(), Some(wrong));
        }
        assert_eq!(new().grace(Duration::from_secs(1)).max_size(10_000).wrong(), None);
    }
}
