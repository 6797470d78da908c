//! What a queue tells about itself as a whole: [`QueueInfo`], [`DailyStats`], [`GroupInfo`].

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::task::{QueueName, TaskState};

/// From how many archived tasks on the archive counts as full: servers keep 9,999.
const MANY_ARCHIVED: usize = 9_000;

/// A queue as it stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QueueInfo {
    /// Its name.
    pub queue: QueueName,
    /// Ready to run.
    pub pending: usize,
    /// Being run.
    pub active: usize,
    /// Waiting for their time.
    pub scheduled: usize,
    /// Failed and waiting for the next attempt.
    pub retry: usize,
    /// Given up.
    pub archived: usize,
    /// Done and kept.
    pub completed: usize,
    /// Waiting in groups.
    pub aggregating: usize,
    /// How many groups hold tasks.
    pub groups: usize,
    /// Tasks that an aggregator has in hand; as in Go, no part of [`size`](Self::size).
    pub staged: usize,
    /// Active tasks whose worker's lease has run out or is missing: to be recovered.
    pub orphaned: usize,
    /// How long the oldest pending task has been waiting; zero when none waits, or nobody noted since when.
    pub latency: Duration,
    /// Tasks processed today (UTC), successes and failures.
    pub processed: u64,
    /// Attempts failed today (UTC).
    pub failed: u64,
    /// Tasks processed since ever.
    pub processed_total: u64,
    /// Attempts failed since ever.
    pub failed_total: u64,
    /// Archived tasks deleted since ever because they were too many or too old, as far as Rust programs did it; Go's do not
    /// tell.
    pub trimmed_total: u64,
    /// Since when it is paused; `None` when it is not.
    pub paused_since: Option<Timestamp>,
    /// Roughly how many bytes its tasks take in the store, from a sample; `None` where the store does not tell.
    pub memory_usage: Option<u64>,
    /// When this was read.
    pub at: Timestamp,
}

impl QueueInfo {
    /// A queue that holds nothing.
    pub(super) fn empty(queue: QueueName, at: Timestamp) -> Self {
        Self {
            queue,
            pending: 0,
            active: 0,
            scheduled: 0,
            retry: 0,
            archived: 0,
            completed: 0,
            aggregating: 0,
            groups: 0,
            staged: 0,
            orphaned: 0,
            latency: Duration::ZERO,
            processed: 0,
            failed: 0,
            processed_total: 0,
            failed_total: 0,
            trimmed_total: 0,
            paused_since: None,
            memory_usage: None,
            at,
        }
    }

    /// How many tasks it holds in this state.
    pub fn count(&self, state: TaskState) -> usize {
        match state {
            TaskState::Active => self.active,
            TaskState::Pending => self.pending,
            TaskState::Scheduled => self.scheduled,
            TaskState::Retry => self.retry,
            TaskState::Archived => self.archived,
            TaskState::Completed => self.completed,
            TaskState::Aggregating => self.aggregating,
        }
    }

    /// How many tasks it holds, in all states.
    pub fn size(&self) -> usize {
        TaskState::ALL.into_iter().map(|state| self.count(state)).sum()
    }

    /// Whether workers leave it alone.
    pub fn is_paused(&self) -> bool {
        self.paused_since.is_some()
    }

    /// Whether the archive is about to be trimmed: servers keep 9,999 tasks unless they are told otherwise.
    pub fn is_archive_full(&self) -> bool {
        self.archived >= MANY_ARCHIVED
    }
}

/// What happened in a queue on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyStats {
    /// The day, UTC.
    pub date: Date,
    /// Tasks processed, successes and failures.
    pub processed: u64,
    /// Attempts failed.
    pub failed: u64,
}

/// A group and how many tasks wait in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupInfo {
    /// Its name.
    pub group: String,
    /// How many tasks wait in it.
    pub size: usize,
}

/// Nanoseconds between two Unix times; zero when the first is unknown or lies ahead.
pub(super) fn latency(pending_since_nanos: Option<i64>, now_nanos: i64) -> Duration {
    match pending_since_nanos {
        None | Some(..=0) => Duration::ZERO,
        Some(since) => Duration::from_nanos(u64::try_from(now_nanos.saturating_sub(since)).unwrap_or(0)),
    }
}
