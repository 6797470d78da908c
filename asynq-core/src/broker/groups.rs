//! The [`Groups`] trait: tasks that wait together until they are made into one.
//!
//! ```text
//! enqueue ─► group ── stage_group ─► aggregation set ── finish_members ─► one task in their place
//!              ▲                         │
//!              └────── reclaim_sets ─────┘ its time ran out
//! ```
//!
//! A set belongs to whoever staged it until its time is up. From then on anyone may put its tasks back, and the one
//! who staged it can change nothing any more: so each task ends in one aggregated task, whoever crashes when.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{BrokerError, NewTask, StoredMessage};
use crate::task::{QueueName, TaskId};
use crate::wire::TaskMessage;

/// How long a set may take before its tasks go back to the group, as in Go. It can be extended.
pub const AGGREGATION_TIMEOUT: Duration = Duration::from_secs(120);

/// The most tasks in one set: what one call can handle without keeping the store from others. Go has no such limit;
/// a larger group here makes several sets.
pub const LARGEST_SET: usize = 10_000;

/// What a broker does with groups. All times are whole seconds.
#[async_trait]
pub trait Groups {
    /// The groups of a queue, a page at a time: begin with cursor 0 and go on with [`GroupPage::next`]. A group that
    /// is there all the time is on some page, perhaps on two; how long a page is, is the broker's choice.
    async fn groups(&self, queue: &QueueName, cursor: u64) -> Result<GroupPage, BrokerError>;

    /// Takes the tasks of a group into this new set, until [`AGGREGATION_TIMEOUT`] from now, if the group is ready by
    /// the rule; `false` when it is not. The oldest tasks go first, where there are more than a set may have.
    async fn stage_group(
        &self,
        queue: &QueueName,
        set: &SetName,
        rule: &GroupRule,
    ) -> Result<bool, BrokerError>;

    /// The members of a set in the order in which they were grouped: all that it had at one moment, but for those that
    /// have left it since.
    async fn read_set(&self, queue: &QueueName, set: &SetName) -> Result<Vec<Member>, BrokerError>;

    /// Gives a set until this Unix second; `false` when it is no more. A time that is past gives its tasks back.
    async fn extend_set(&self, queue: &QueueName, set: &SetName, until: i64) -> Result<bool, BrokerError>;

    /// Deletes members of a set, releases their locks, and stores the task that stands for them, all or nothing. A
    /// set without members is no more. Who knows that the set has no others, for they are all that
    /// [`read_set`](Self::read_set) has found, and a set gets no more, may say so: what is left of it may then be deleted
    /// as a whole.
    async fn finish_members(
        &self,
        queue: &QueueName,
        set: &SetName,
        members: &[FinishedMember],
        are_all: bool,
        task: Option<&NewTask>,
    ) -> Result<FinishedSet, BrokerError>;

    /// Takes members out of a set that cannot be aggregated: they are archived, uncounted, with this message if there
    /// is one; what has no task is dropped. `false`, and nothing changed, when the set or they are no more in it.
    async fn archive_members(
        &self,
        queue: &QueueName,
        set: &SetName,
        members: &[RejectedMember],
    ) -> Result<bool, BrokerError>;

    /// Puts the tasks of sets whose time is up back into their groups, with their old scores; at most ten sets.
    async fn reclaim_sets(&self, queue: &QueueName) -> Result<Reclaimed, BrokerError>;

    /// Looks at groups by name, and makes those known again that hold tasks while the set of groups does not have
    /// them: how many. Go leaves such groups behind.
    async fn mend_groups(&self, queue: &QueueName, groups: &[String]) -> Result<usize, BrokerError>;
}

/// Names an aggregation set of a queue: its group and its own ID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetName {
    /// The group that its tasks come from.
    pub group: String,
    /// A UUID, as in Go.
    pub id: String,
}

impl SetName {
    /// A new set of a group.
    pub fn new(group: impl Into<String>) -> Self {
        Self { group: group.into(), id: uuid::Uuid::new_v4().to_string() }
    }
}

impl fmt::Display for SetName {
    /// As its key ends: a group may have colons in its name, an ID has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.group, self.id)
    }
}

/// When a group is ready. The first of these that holds decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRule {
    /// It has this many tasks; more never go into one set.
    pub max_size: Option<usize>,
    /// Its oldest task was added this many seconds ago.
    pub max_delay: Option<i64>,
    /// Its newest task was added this many seconds ago.
    pub grace: i64,
}

impl GroupRule {
    /// The Unix second at which a group is ready, if nothing is added to it.
    pub fn ready_at(&self, group: &GroupState) -> i64 {
        if self.max_size.is_some_and(|size| group.size >= size) {
            return i64::MIN;
        }
        let by_grace = group.newest.saturating_add(self.grace);
        self.max_delay.map_or(by_grace, |delay| by_grace.min(group.oldest.saturating_add(delay)))
    }

    /// How many tasks a set takes.
    pub fn set_size(&self) -> usize {
        self.max_size.unwrap_or(LARGEST_SET).min(LARGEST_SET)
    }
}

/// Some groups of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPage {
    /// The groups, in any order.
    pub groups: Vec<GroupState>,
    /// Where the next page begins; 0 after the last.
    pub next: u64,
}

/// A group as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupState {
    /// Its name.
    pub name: String,
    /// How many tasks it holds; it may be none.
    pub size: usize,
    /// When its oldest task was added, Unix seconds.
    pub oldest: i64,
    /// When its newest task was added.
    pub newest: i64,
    /// The types of these two; none where the task is gone or its message does not begin with its type.
    pub types: [Option<String>; 2],
}

/// A member of a set.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its ID.
    pub id: TaskId,
    /// What is stored; none when there is no such task.
    pub message: Option<StoredMessage>,
}

/// A member that an aggregated task stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedMember {
    /// Its ID.
    pub id: TaskId,
    /// The lock to release if this task holds it; empty when it has none.
    pub unique_key: String,
}

/// A member that cannot be aggregated.
#[derive(Clone, Debug)]
pub struct RejectedMember {
    /// Its ID.
    pub id: TaskId,
    /// The message to store, with the reason in it; `None` keeps what is stored.
    pub message: Option<TaskMessage>,
}

/// What became of members that were to be finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishedSet {
    /// They are gone, and the task is stored.
    Done,
    /// The set is no more, or they are no more in it: its time ran out, or an earlier call did it all and its answer
    /// was lost. Nothing changed.
    Lost,
    /// The queue has a task with the ID of the new one. Nothing changed.
    IdConflict,
    /// Another task holds the uniqueness lock of the new one. Nothing changed.
    Duplicate {
        /// The ID of that task.
        holder: String,
    },
}

/// What reclaiming did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reclaimed {
    /// How many sets were put back.
    pub sets: usize,
    /// When the time of the next one is up, Unix seconds.
    pub next_due: Option<i64>,
}
