//! [`JobOptions`]: the defaults that a job declares.

use std::time::Duration;

use crate::task::{TaskOptions, UniqueUntil};

/// The default options of a job, made at compile time by `#[job(…)]`. What the caller sets when enqueuing wins.
///
/// What several jobs have in common is a constant of this type, which they name:
///
/// ```
/// # mod asynq { pub use asynq_core::job::JobOptions; }
/// use asynq::JobOptions;
///
/// const MAIL: JobOptions = JobOptions::new().queue("mail").retry(5);
///
/// // #[job(defaults = MAIL, retry = 2)]
/// # assert_eq!(MAIL.queue_name(), "mail");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobOptions {
    pub(crate) queue: Option<&'static str>,
    pub(crate) retry: Option<u32>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) expires_in: Option<Duration>,
    pub(crate) unique_for: Option<Duration>,
    pub(crate) unique_by: &'static [&'static str],
    pub(crate) unique_until: Option<UniqueUntil>,
    pub(crate) retention: Option<Duration>,
    pub(crate) group: Option<&'static str>,
    pub(crate) delay: Option<Duration>,
}

impl JobOptions {
    /// No defaults: Go's apply.
    pub const fn new() -> Self {
        Self {
            queue: None,
            retry: None,
            timeout: None,
            expires_in: None,
            unique_for: None,
            unique_by: &[],
            unique_until: None,
            retention: None,
            group: None,
            delay: None,
        }
    }

    /// The queue.
    #[must_use]
    pub const fn queue(mut self, name: &'static str) -> Self {
        self.queue = Some(name);
        self
    }

    /// The number of retries.
    #[must_use]
    pub const fn retry(mut self, times: u32) -> Self {
        self.retry = Some(times);
        self
    }

    /// The time limit of one attempt.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// The time from enqueuing to the deadline.
    #[must_use]
    pub const fn expires_in(mut self, limit: Duration) -> Self {
        self.expires_in = Some(limit);
        self
    }

    /// How long the uniqueness lock lasts.
    #[must_use]
    pub const fn unique_for(mut self, ttl: Duration) -> Self {
        self.unique_for = Some(ttl);
        self
    }

    /// The names in the payload of the arguments that tell tasks apart. It only tells of them: what the lock is named
    /// after is [`Job::unique_by`](super::Job::unique_by).
    #[must_use]
    pub const fn unique_by(mut self, arguments: &'static [&'static str]) -> Self {
        self.unique_by = arguments;
        self
    }

    /// Until when the lock keeps others out.
    #[must_use]
    pub const fn unique_until(mut self, until: UniqueUntil) -> Self {
        self.unique_until = Some(until);
        self
    }

    /// How long a finished task is kept.
    #[must_use]
    pub const fn retention(mut self, keep: Duration) -> Self {
        self.retention = Some(keep);
        self
    }

    /// The group.
    #[must_use]
    pub const fn group(mut self, name: &'static str) -> Self {
        self.group = Some(name);
        self
    }

    /// The time from enqueuing to the first attempt.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// The queue that tasks of this job go to unless told otherwise.
    pub fn queue_name(&self) -> &'static str {
        self.queue.unwrap_or(crate::task::QueueName::DEFAULT)
    }

    /// The same as options of a task.
    pub fn task_options(&self) -> TaskOptions {
        let mut options = TaskOptions::new();
        if let Some(name) = self.queue {
            options = options.queue(name);
        }
        if let Some(times) = self.retry {
            options = options.max_retry(times);
        }
        if let Some(limit) = self.timeout {
            options = options.timeout(limit);
        }
        if let Some(limit) = self.expires_in {
            options = options.expires_in(limit);
        }
        if let Some(ttl) = self.unique_for {
            options = options.unique(ttl);
        }
        if let Some(until) = self.unique_until {
            options = options.unique_until(until);
        }
        if let Some(keep) = self.retention {
            options = options.retention(keep);
        }
        if let Some(name) = self.group {
            options = options.group(name);
        }
        if let Some(delay) = self.delay {
            options = options.process_in(delay);
        }
        options
    }
}

/// Refuses to compile where `option` is given and the options, some of which are shared, do not say for how long.
///
/// # Panics
///
/// Then.
#[expect(clippy::panic, reason = "it runs while the program is compiled")]
#[track_caller]
pub const fn assert_unique(options: &JobOptions, option: &str) {
    if options.unique_for.is_none() {
        match option.as_bytes() {
            b"unique_by" => panic!("`unique_by` needs `unique_for`, here or in `defaults`: say for how long"),
            _ => panic!("`unique_until` needs `unique_for`, here or in `defaults`: say for how long"),
        }
    }
}
