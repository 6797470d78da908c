//! [`TaskKey`]: a task among those of all queues.

use std::fmt;
use std::str::FromStr;

/// A task among those of all queues, as one text: the length of the queue's name, a dot, the name, the ID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskKey {
    pub(crate) queue: String,
    pub(crate) id: String,
}

impl TaskKey {
    pub(crate) fn new(queue: impl Into<String>, id: impl Into<String>) -> Self {
        Self { queue: queue.into(), id: id.into() }
    }
}

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}{}", self.queue.len(), self.queue, self.id)
    }
}

impl FromStr for TaskKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (length, names) = text.split_once('.')?;
            let (queue, id) = names.split_at_checked(length.parse().ok()?)?;
            Some(Self::new(queue, id))
        };
        read().ok_or_else(|| format!("`{text}` names no task: it must be one that a page gave"))
    }
}
