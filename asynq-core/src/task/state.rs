//! [`TaskState`]: where a task is on its way.

use std::fmt;

/// The state of a task; always equal to the collection that holds its ID.
///
/// ```text
///            enqueue ─► Pending ◄── forward ── Scheduled, Retry
///                        │    ▲
///                 lease  ▼    │ requeue
///                       Active ──► Completed | Retry | Archived | (deleted)
///   group ─► Aggregating ──► staged, then deleted with its set
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TaskState {
    /// A worker is running it.
    Active = 1,
    /// Ready to be run.
    Pending,
    /// Waits for its time.
    Scheduled,
    /// Failed; waits for its next attempt.
    Retry,
    /// Given up: no retries left, or told not to retry. Kept for inspection.
    Archived,
    /// Done; kept for its retention time.
    Completed,
    /// Waits in a group to be aggregated.
    Aggregating,
}

/// A `state` field that no asynq wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown task state {0:?}; known are active, pending, scheduled, retry, archived, completed, aggregating"
)]
pub struct UnknownState(pub String);

impl TaskState {
    /// Every state, in Go's numbering.
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::Pending,
        Self::Scheduled,
        Self::Retry,
        Self::Archived,
        Self::Completed,
        Self::Aggregating,
    ];

    /// The word stored in the `state` field of a task's hash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Scheduled => "scheduled",
            Self::Retry => "retry",
            Self::Archived => "archived",
            Self::Completed => "completed",
            Self::Aggregating => "aggregating",
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for TaskState {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}
