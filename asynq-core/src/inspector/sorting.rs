//! [`SortBy`]: by what the tasks of a search can be sorted.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::task::{InvalidOption, TaskInfo, TaskState};

/// By what the tasks of a [`Search`](super::Search) can be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortBy {
    /// Their IDs.
    Id,
    /// Their types.
    Type,
    /// Their queues.
    Queue,
    /// Their states, in the order of a task's life.
    State,
    /// How many bytes their payloads have.
    Payload,
    /// When they are due.
    Due,
    /// The texts of their last errors.
    Error,
    /// When they last failed.
    Failed,
    /// How often they were retried.
    Retried,
    /// When they were done.
    Completed,
    /// Their groups.
    Group,
    /// By when they must be done.
    Deadline,
}

impl SortBy {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Id,
        Self::Type,
        Self::Queue,
        Self::State,
        Self::Payload,
        Self::Due,
        Self::Error,
        Self::Failed,
        Self::Retried,
        Self::Completed,
        Self::Group,
        Self::Deadline,
    ];

    /// Its name: one word in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Type => "type",
            Self::Queue => "queue",
            Self::State => "state",
            Self::Payload => "payload",
            Self::Due => "due",
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Completed => "completed",
            Self::Group => "group",
            Self::Deadline => "deadline",
        }
    }

    /// Whether the tasks of one queue in this state are stored in this order: then nothing needs to be sorted, however
    /// many there are.
    pub fn is_natural(self, state: TaskState) -> bool {
        self == Self::Due && matches!(state, TaskState::Scheduled | TaskState::Retry)
    }

    /// Compares two tasks; those that have nothing to be compared come last.
    pub(super) fn compare(self, one: &TaskInfo, other: &TaskInfo, is_descending: bool) -> Ordering {
        let directed = |ordering: Ordering| if is_descending { ordering.reverse() } else { ordering };
        let ordering = match self {
            Self::Id => directed(one.id.as_str().cmp(other.id.as_str())),
            Self::Type => directed(one.task_type.as_str().cmp(other.task_type.as_str())),
            Self::Queue => directed(one.queue.cmp(&other.queue)),
            Self::State => directed(one.state.cmp(&other.state)),
            Self::Payload => directed(one.payload.len().cmp(&other.payload.len())),
            Self::Retried => directed(one.retried.cmp(&other.retried)),
            Self::Due => known_first(one.next_process_at, other.next_process_at, directed),
            Self::Failed => known_first(one.last_failed_at, other.last_failed_at, directed),
            Self::Completed => known_first(one.completed_at, other.completed_at, directed),
            Self::Deadline => known_first(one.deadline, other.deadline, directed),
            Self::Error => known_first(text(&one.last_error), text(&other.last_error), directed),
            Self::Group => known_first(text(&one.group), text(&other.group), directed),
        };
        ordering.then_with(|| (&one.queue, one.id.as_str()).cmp(&(&other.queue, other.id.as_str())))
    }
}

fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn known_first<T: Ord>(
    one: Option<T>,
    other: Option<T>,
    directed: impl Fn(Ordering) -> Ordering,
) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => directed(one.cmp(&other)),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

impl fmt::Display for SortBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SortBy {
    type Err = InvalidOption;

    /// # Errors
    ///
    /// When it is none of the names.
    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        Self::ALL.into_iter().find(|by| by.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            InvalidOption::new("sort", &format_args!("`{text}` is nothing to sort by; known are {known}"))
        })
    }
}
