//! [`Collection`]: where the tasks of one state stand in a queue.

use std::fmt;

use crate::task::TaskState;

/// Where the tasks of one state stand in a queue: a list, a sorted set, or a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Collection {
    /// Ready to run; the one enqueued first comes first.
    Pending,
    /// Being run; the one taken first comes first.
    Active,
    /// Waiting for their time; the next due comes first.
    Scheduled,
    /// Failed and waiting for the next attempt; the next due comes first.
    Retry,
    /// Given up; the one given up first comes first.
    Archived,
    /// Done and kept; the one to be dropped first comes first.
    Completed,
    /// Waiting in the group of this name; the one added first comes first.
    Group(String),
}

impl Collection {
    /// The state of the tasks that stand here.
    pub fn state(&self) -> TaskState {
        match self {
            Self::Pending => TaskState::Pending,
            Self::Active => TaskState::Active,
            Self::Scheduled => TaskState::Scheduled,
            Self::Retry => TaskState::Retry,
            Self::Archived => TaskState::Archived,
            Self::Completed => TaskState::Completed,
            Self::Group(_) => TaskState::Aggregating,
        }
    }

    /// Whether it is kept in the order in which tasks came, and not by a time.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Pending | Self::Active)
    }

    /// The group, if it is one.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::Group(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group `{name}`"),
            other => other.state().fmt(f),
        }
    }
}
