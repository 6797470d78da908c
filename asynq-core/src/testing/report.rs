//! [`Report`]: what ran, and how it ended.

use std::fmt;

use jiff::Timestamp;

use super::faults::Faults;
use super::table::{Table, payload_text};
use crate::broker::Transition;
use crate::clock::from_unix_seconds;
use crate::server::{Run, RunEnd};
use crate::task::{TaskInfo, TaskState};
use crate::wire::TaskMessage;

/// What ran, in order, and how it ended. Printed, it is a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    attempts: Vec<Attempt>,
}

/// A run of a task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// The task when it was taken.
    pub task: TaskInfo,
    /// Which run of the task it was, 1 for the first; 0 if its handler was never called.
    pub run: u32,
    /// When it ended, by the rig's clock.
    pub at: Timestamp,
    /// How it ended.
    pub ending: Ending,
    /// The text of its error; `None` if it did not fail.
    pub error: Option<String>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The task is done; it is kept if it has a retention.
    Succeeded,
    /// It failed, and is tried again at this time.
    Retried(Timestamp),
    /// It failed for good, and is in the archive.
    Archived,
    /// Its handler declared it void.
    Revoked,
    /// It waits for another worker, or for another time, without having failed.
    PutBack,
    /// Another worker had taken the task over: this run does not count.
    Refused,
    /// Its worker died.
    Crashed,
}

impl Report {
    /// All runs, in the order in which they ended.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// How many runs there were.
    pub fn len(&self) -> usize {
        self.attempts.len()
    }

    /// Whether nothing ran.
    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    /// How many runs succeeded.
    pub fn succeeded(&self) -> usize {
        self.count(|ending| ending == Ending::Succeeded)
    }

    /// How many runs failed: those [retried](Self::retried) and those [archived](Self::archived).
    pub fn failed(&self) -> usize {
        self.retried() + self.archived()
    }

    /// How many runs failed and are tried again.
    pub fn retried(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Retried(_)))
    }

    /// How many runs failed for good.
    pub fn archived(&self) -> usize {
        self.count(|ending| ending == Ending::Archived)
    }

    /// How many runs ended with the death of their worker.
    pub fn crashed(&self) -> usize {
        self.count(|ending| ending == Ending::Crashed)
    }

    /// How many runs did not count, because another worker had taken their task over.
    pub fn refused(&self) -> usize {
        self.count(|ending| ending == Ending::Refused)
    }

    /// The texts of all errors, in order.
    pub fn errors(&self) -> Vec<&str> {
        self.attempts.iter().filter_map(|attempt| attempt.error.as_deref()).collect()
    }

    /// Fails the test, with the table of all runs, unless every run succeeded.
    ///
    /// # Panics
    ///
    /// When one did not.
    #[track_caller]
    pub fn assert_success(&self) {
        assert!(self.succeeded() == self.len(), "not every run succeeded:\n{self}");
    }

    /// The last runs, as a table.
    pub(super) fn last(&self, count: usize) -> Self {
        let skipped = self.len().saturating_sub(count);
        self.attempts.iter().skip(skipped).cloned().collect()
    }

    fn count(&self, wanted: impl Fn(Ending) -> bool) -> usize {
        self.attempts.iter().filter(|attempt| wanted(attempt.ending)).count()
    }
}

impl Extend<Attempt> for Report {
    fn extend<I: IntoIterator<Item = Attempt>>(&mut self, attempts: I) {
        self.attempts.extend(attempts);
    }
}

impl FromIterator<Attempt> for Report {
    fn from_iter<I: IntoIterator<Item = Attempt>>(attempts: I) -> Self {
        Self { attempts: attempts.into_iter().collect() }
    }
}

impl Attempt {
    pub(super) fn new(run: Run, at: Timestamp, faults: &Faults) -> Self {
        let Run { queue, id, message, end } = run;
        let (nth, returned) = faults.last_run(queue.as_str(), id.as_str());
        let (ending, error) = match end {
            RunEnd::Settled(transition) => match *transition {
                Transition::Revoke { .. } => (Ending::Revoked, returned),
                Transition::Done { .. } | Transition::Complete { .. } => (Ending::Succeeded, None),
                Transition::Retry { message, at, .. } => {
                    (Ending::Retried(from_unix_seconds(at)), Some(message.error_msg))
                }
                Transition::Archive { message, .. } => {
                    let unreadable = || "the stored message cannot be read".to_owned();
                    (Ending::Archived, Some(message.map_or_else(unreadable, |message| message.error_msg)))
                }
                // Its reason is not stored with a task that only waits for its turn.
                Transition::PutBack { limit: None, .. } => (Ending::PutBack, returned),
                Transition::PutBack { message, .. } => (Ending::PutBack, Some(message.error_msg)),
                Transition::Requeue { .. } => (Ending::PutBack, None),
            },
            RunEnd::Refused => (Ending::Refused, returned),
            RunEnd::Crashed => (Ending::Crashed, None),
        };
        let unreadable = TaskMessage::default();
        let message = message.as_deref().unwrap_or(&unreadable);
        let task = TaskInfo { id, queue, ..TaskInfo::stored(message, TaskState::Active) };
        Self { task, run: nth, at, ending, error }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing ran");
        }
        let mut table = Table::new(["at", "job", "run", "ending", "error", "payload"]);
        for Attempt { task, run, at, ending, error } in &self.attempts {
            table.row([
                at.to_string(),
                task.task_type.as_str().to_owned(),
                run.to_string(),
                ending.to_string(),
                error.clone().unwrap_or_default(),
                payload_text(&task.payload),
            ]);
        }
        table.fmt(f)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("succeeded"),
            Self::Retried(at) => write!(f, "retry at {at}"),
            Self::Archived => f.write_str("archived"),
            Self::Revoked => f.write_str("revoked"),
            Self::PutBack => f.write_str("put back"),
            Self::Refused => f.write_str("refused"),
            Self::Crashed => f.write_str("worker died"),
        }
    }
}
