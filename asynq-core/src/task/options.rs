//! [`TaskOptions`]: how a task is to be queued and run.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::{BlankName, Headers, LONGEST_UNIQUE_KEY, QueueName, TaskId, UniqueBy, UniqueUntil};

/// Retries of a task that names no number: 25, as in Go.
pub const DEFAULT_MAX_RETRY: i32 = 25;

/// Time limit of one attempt of a task that names neither a timeout nor a deadline: 30 minutes, as in Go.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// An option that cannot be honored; nothing was enqueued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid option `{option}`: {reason}")]
pub struct InvalidOption {
    option: &'static str,
    reason: String,
}

impl InvalidOption {
    pub(crate) fn new(option: &'static str, reason: &impl ToString) -> Self {
        Self { option, reason: reason.to_string() }
    }

    /// The method of [`TaskOptions`] that was given the value.
    pub fn option(&self) -> &'static str {
        self.option
    }
}

/// Options of one task. Anything not set falls back to the job's defaults, then to Go's.
///
/// The last value given for an option wins. A value that can never be right is remembered and reported when the
/// task is enqueued, even if a later call replaces it: the first wrong one is the one to fix.
///
/// Durations are stored in whole seconds: fractions are cut, but nothing above zero becomes zero.
///
/// # Examples
///
/// ```
/// use asynq_core::task::TaskOptions;
/// use std::time::Duration;
///
/// let options = TaskOptions::new()
///     .queue("critical")
///     .max_retry(5)
///     .timeout(Duration::from_secs(30))
///     .unique(Duration::from_secs(600));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskOptions {
    pub(crate) queue: Option<QueueName>,
    pub(crate) max_retry: Option<i32>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) expires_in: Option<Duration>,
    pub(crate) unique: Option<Duration>,
    pub(crate) unique_by: Option<UniqueBy>,
    pub(crate) unique_until: Option<UniqueUntil>,
    pub(crate) process: Option<ProcessTime>,
    pub(crate) task_id: Option<TaskId>,
    pub(crate) retention: Option<Duration>,
    pub(crate) group: Option<String>,
    pub(crate) headers: Headers,
    pub(crate) invalid: Option<InvalidOption>,
}

/// When a task may start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ProcessTime {
    At(Timestamp),
    In(Duration),
}

impl TaskOptions {
    /// No option set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The queue. Default: `default`. Any text that is not blank.
    #[must_use]
    pub fn queue(mut self, name: impl AsRef<str>) -> Self {
        match QueueName::new(name) {
            Ok(name) => self.queue = Some(name),
            Err(blank) => self.reject("queue", &blank),
        }
        self
    }

    /// How often a failed task is tried again, after the first attempt. Default: 25; 0: never.
    #[must_use]
    pub fn max_retry(mut self, times: u32) -> Self {
        match i32::try_from(times) {
            Ok(times) => self.max_retry = Some(times),
            Err(_) => self.reject("max_retry", &format_args!("{times} is more than {}", i32::MAX)),
        }
        self
    }

    /// Time limit of each attempt. Default: 30 minutes unless a deadline is set. Zero means the default.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// The instant after which the task must not run any more. Stored in whole seconds, rounded down; the Unix
    /// epoch means none.
    #[must_use]
    pub fn deadline(mut self, at: Timestamp) -> Self {
        self.deadline = Some(at);
        self.expires_in = None;
        self
    }

    /// A deadline counted from the moment of enqueuing (not from the start of the task).
    #[must_use]
    pub fn expires_in(mut self, limit: Duration) -> Self {
        if limit.is_zero() {
            self.reject("expires_in", &"must be longer than zero");
        }
        self.expires_in = Some(limit);
        self.deadline = None;
        self
    }

    /// Refuses another task of the same type, queue and payload while this one is not done, for at most `ttl`
    /// from the time it may start. At least one second.
    ///
    /// [`unique_key`](Self::unique_key) and [`unique_by`](Self::unique_by) say what must be the same in place of the
    /// payload, [`unique_until`](Self::unique_until) until when.
    #[must_use]
    pub fn unique(mut self, ttl: Duration) -> Self {
        if ttl < Duration::from_secs(1) {
            self.reject("unique", &format_args!("{ttl:?} is less than the minimum of one second"));
        }
        self.unique = Some(ttl);
        self
    }

    /// Names the lock of a [`unique`](Self::unique) task by a key of one's own in place of its payload: not blank, and
    /// at most 512 bytes. Two tasks exclude each other if queue, type and key are the same.
    ///
    /// Go programs honor the lock of such a task, and have no way to take it themselves.
    #[must_use]
    pub fn unique_key(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        if key.trim().is_empty() {
            self.reject("unique_key", &format_args!("must not be blank, got {key:?}"));
        } else if key.len() > LONGEST_UNIQUE_KEY {
            let length = key.len();
            self.reject("unique_key", &format_args!("{length} bytes are more than {LONGEST_UNIQUE_KEY}"));
        }
        self.unique_by = Some(UniqueBy::Key(key));
        self
    }

    /// Names the lock of a [`unique`](Self::unique) task after these bytes in place of its payload, such as the part of
    /// it that counts. The lock is the one that a task with them as its payload takes, here and in Go.
    #[must_use]
    pub fn unique_by(mut self, bytes: impl Into<Bytes>) -> Self {
        self.unique_by = Some(UniqueBy::Bytes(bytes.into()));
        self
    }

    /// Until when a [`unique`](Self::unique) task keeps others out. Default: until it is done.
    #[must_use]
    pub fn unique_until(mut self, until: UniqueUntil) -> Self {
        self.unique_until = Some(until);
        self
    }

    /// The earliest time to start. A time in the past means now.
    #[must_use]
    pub fn process_at(mut self, at: Timestamp) -> Self {
        self.process = Some(ProcessTime::At(at));
        self
    }

    /// The delay before the task may start, counted from enqueuing.
    #[must_use]
    pub fn process_in(mut self, delay: Duration) -> Self {
        self.process = Some(ProcessTime::In(delay));
        self
    }

    /// The task's ID, unique in its queue. Default: a random UUID.
    #[must_use]
    pub fn task_id(mut self, id: impl AsRef<str>) -> Self {
        match TaskId::new(id) {
            Ok(id) => self.task_id = Some(id),
            Err(blank) => self.reject("task_id", &blank),
        }
        self
    }

    /// How long to keep the task, and its result, after success. Default: not at all.
    #[must_use]
    pub fn retention(mut self, keep: Duration) -> Self {
        self.retention = Some(keep);
        self
    }

    /// The group to collect the task in; an aggregator turns a group into one task.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if name.trim().is_empty() {
            self.reject("group", &format_args!("must not be blank, got {name:?}"));
        }
        self.group = Some(name);
        self
    }

    /// Adds a header; the same name again replaces it.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// These options with `over`'s in front: what `over` sets wins; headers are merged.
    #[must_use]
    pub fn overlaid_by(mut self, over: Self) -> Self {
        if over.deadline.is_some() || over.expires_in.is_some() {
            self.deadline = over.deadline;
            self.expires_in = over.expires_in;
        }
        self.queue = over.queue.or(self.queue);
        self.max_retry = over.max_retry.or(self.max_retry);
        self.timeout = over.timeout.or(self.timeout);
        self.unique = over.unique.or(self.unique);
        self.unique_by = over.unique_by.or(self.unique_by);
        self.unique_until = over.unique_until.or(self.unique_until);
        self.process = over.process.or(self.process);
        self.task_id = over.task_id.or(self.task_id);
        self.retention = over.retention.or(self.retention);
        self.group = over.group.or(self.group);
        self.headers.extend(over.headers);
        self.invalid = self.invalid.or(over.invalid);
        self
    }

    /// Whether everything about uniqueness is there that the rest needs.
    pub(crate) fn check_unique(&self) -> Result<(), InvalidOption> {
        let option = match (self.unique, &self.unique_by, self.unique_until) {
            (Some(_), ..) | (None, None, None) => return Ok(()),
            (None, Some(UniqueBy::Key(_)), _) => "unique_key",
            (None, Some(UniqueBy::Bytes(_)), _) => "unique_by",
            (None, None, Some(_)) => "unique_until",
        };
        Err(InvalidOption::new(option, &"needs `unique`, which says for how long"))
    }

    fn reject(&mut self, option: &'static str, reason: &impl ToString) {
        self.invalid.get_or_insert_with(|| InvalidOption::new(option, reason));
    }
}

impl From<BlankName> for InvalidOption {
    fn from(blank: BlankName) -> Self {
        Self::new("name", &blank)
    }
}

/// A duration in whole seconds as it goes on the wire: cut, but never from something to nothing.
pub(crate) fn wire_seconds(duration: Duration) -> i64 {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    if seconds == 0 && !duration.is_zero() { 1 } else { seconds }
}
