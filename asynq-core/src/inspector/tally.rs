//! [`Tally`]: how many tasks of a selection there are of each type, and of each kind of error.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{ErrorKind, Inspector, Search, Selection};
use crate::error::Result;
use crate::task::{TaskInfo, TaskState};

/// How many tasks are held at one time.
const PART: usize = 500;

/// How long one part may take.
const LONGEST: Duration = Duration::from_secs(60);

/// How many types, and how many kinds of errors, are told apart.
const MOST: usize = 1_000;

/// How many tasks of a selection there are of each type, and of each kind of error: of those that were looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// By type, each by state.
    pub types: BTreeMap<String, BTreeMap<TaskState, usize>>,
    /// By kind of the last error, the most frequent first; among equals by text.
    pub errors: Vec<ErrorCount>,
    /// How many tasks were looked at.
    pub scanned: usize,
    /// Whether these were all.
    pub is_complete: bool,
}

/// How many tasks failed with errors of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCount {
    /// The kind.
    pub kind: ErrorKind,
    /// How many tasks.
    pub tasks: usize,
    /// How many of each type.
    pub types: BTreeMap<String, usize>,
    /// The error of one of them.
    pub example: String,
    /// When one of them failed last, as far as tasks tell.
    pub last_failed_at: Option<Timestamp>,
}

impl Inspector {
    /// Counts the tasks of a selection by type and by kind of error, the latest first: as many as the budget of `limit`
    /// tasks and `time` allows. Beyond a thousand types, or kinds of errors, new ones are not told apart, but called
    /// `other`. Errors are as the filter of the selection [sees](super::Filter::through) them.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use asynq_core::client::Client;
    /// use asynq_core::inspector::{Inspector, Selection};
    /// use asynq_core::task::Task;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// client.enqueue(Task::new("email:send", "")?).await?;
    /// client.enqueue(Task::new("email:send", "")?).await?;
    ///
    /// let tally = Inspector::new(&client).tally(&Selection::new(), 10_000, Duration::from_secs(1)).await?;
    /// assert_eq!(tally.types["email:send"].values().sum::<usize>(), 2);
    /// assert!(tally.is_complete && tally.errors.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn tally(&self, selection: &Selection, limit: usize, time: Duration) -> Result<Tally> {
        let end = Instant::now().checked_add(time);
        let masks = selection.filter.masks();
        let mut counting = Counting::default();
        let mut scanned = 0;
        let mut search = Search::new(selection.clone().limit(PART)).last_first();
        let is_complete = loop {
            let left = end.map_or(time, |end| end.saturating_duration_since(Instant::now()));
            search = search.budget(limit.saturating_sub(scanned).min(PART)).time(left.min(LONGEST));
            let part = self.search(&search).await?;
            scanned += part.scanned;
            part.tasks.iter().for_each(|task| counting.add(task, &masks.hide_in_text(&task.last_error)));
            match part.next {
                None => break true,
                Some(next) if scanned < limit && !left.is_zero() => search = search.from(next),
                Some(_) => break false,
            }
        };
        Ok(counting.tally(scanned, is_complete))
    }
}

#[derive(Default)]
struct Counting {
    types: BTreeMap<String, BTreeMap<TaskState, usize>>,
    errors: BTreeMap<ErrorKind, ErrorCount>,
}

impl Counting {
    fn add(&mut self, task: &TaskInfo, error: &str) {
        let task_type = task.task_type.as_str();
        let is_full = self.types.len() >= MOST && !self.types.contains_key(task_type);
        let name = if is_full { "other" } else { task_type };
        *self.types.entry(name.to_owned()).or_default().entry(task.state).or_default() += 1;
        if error.is_empty() {
            return;
        }
        let mut kind = ErrorKind::of(error);
        if self.errors.len() >= MOST && !self.errors.contains_key(&kind) {
            kind = ErrorKind::of("other");
        }
        let count = self.errors.entry(kind.clone()).or_insert_with(|| ErrorCount {
            kind,
            tasks: 0,
            types: BTreeMap::new(),
            example: error.to_owned(),
            last_failed_at: None,
        });
        count.tasks += 1;
        *count.types.entry(name.to_owned()).or_default() += 1;
        count.last_failed_at = count.last_failed_at.max(task.last_failed_at);
    }

    fn tally(self, scanned: usize, is_complete: bool) -> Tally {
        let mut errors: Vec<ErrorCount> = self.errors.into_values().collect();
        // They are sorted by text already.
        errors.sort_by_key(|count| std::cmp::Reverse(count.tasks));
        Tally { types: self.types, errors, scanned, is_complete }
    }
}
