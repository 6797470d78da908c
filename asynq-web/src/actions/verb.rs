//! [`Verb`]: what can be done to any number of tasks.

use std::str::FromStr;

use asynq_core::inspector::{Action, Inspector};
use asynq_core::task::TaskState;

use super::TaskKey;
use crate::problem::Problem;
use crate::rights::Right;

/// What can be done to any number of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Run,
    Archive,
    Delete,
    Cancel,
    /// To the queue of this name; empty while nobody has said which.
    Move(String),
}

impl Verb {
    pub(crate) const ALL: [Self; 5] =
        [Self::Run, Self::Archive, Self::Delete, Self::Cancel, Self::Move(String::new())];

    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Archive => "archive",
            Self::Delete => "delete",
            Self::Cancel => "cancel",
            Self::Move(_) => "move",
        }
    }

    /// What buttons say.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Run => "Run now",
            Self::Archive => "Archive",
            Self::Delete => "Delete",
            Self::Cancel => "Cancel",
            Self::Move(_) => "Move",
        }
    }

    /// What becomes of the tasks, for who is about to confirm it.
    pub(crate) fn consequence(&self) -> &'static str {
        match self {
            Self::Run => "They become pending, and run as soon as a worker is free.",
            Self::Archive => "They are kept for inspection and do not run, until they are run again by hand.",
            Self::Delete => "They are gone for good, with their payloads and results. This cannot be undone.",
            Self::Cancel => {
                "Their workers are asked to stop them. What was not done fails, and is retried as usual."
            }
            Self::Move(_) => "They keep their ID, state and time. Should this fail half-way, do it again.",
        }
    }

    pub(crate) fn right(&self) -> Right {
        match self {
            Self::Run => Right::Run,
            Self::Archive => Right::Archive,
            Self::Delete => Right::Delete,
            Self::Cancel => Right::Cancel,
            Self::Move(_) => Right::Edit,
        }
    }

    pub(crate) fn action(&self) -> Action {
        match self {
            Self::Run => Action::Run,
            Self::Archive => Action::Archive,
            Self::Delete => Action::Delete,
            Self::Cancel => Action::Cancel,
            Self::Move(to) => Action::Move(to.clone()),
        }
    }

    /// Does it to one task, which must be in this queue.
    pub(crate) async fn apply(&self, inspector: &Inspector, key: &TaskKey) -> asynq_core::Result<()> {
        if *self == Self::Cancel {
            // Workers are asked by the ID alone: a right in one queue would reach tasks of others.
            inspector.task(&key.queue, &key.id).await?;
        }
        inspector.apply(&self.action(), &key.queue, &key.id).await
    }

    pub(crate) fn allows(&self, state: TaskState) -> bool {
        self.action().allows(state)
    }
}

impl FromStr for Verb {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(|verb| verb.as_str()).join(", ");
            Problem::invalid(format!("`{text}` is no action; known are {known}"))
        })
    }
}
