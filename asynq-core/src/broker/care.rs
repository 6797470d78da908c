//! The [`Care`] trait: what does not agree with itself in a store, found out and put right.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::lock::read_lock;
use super::{BrokerError, Collection};
use crate::task::{QueueName, TaskId, TaskState};

/// Looking at what is stored as it is, also where it makes no sense, and putting it right.
///
/// Nothing here decides what is wrong. What puts something right is told what was seen, and does nothing where that is
/// so no more: tasks go on moving meanwhile.
#[async_trait]
pub trait Care: Send + Sync {
    /// Some of the keys that there are: all of a queue, or all under the prefix of the store. A key that is there from
    /// the first call to the last is told at least once. None of a broker in memory but those of tasks, groups and locks.
    async fn keys(&self, queue: Option<&QueueName>, from: &KeyCursor) -> Result<KeyPage, BrokerError>;

    /// What each key holds, and for how long.
    async fn key_kinds(&self, keys: &[String]) -> Result<Vec<KeyKind>, BrokerError>;

    /// The IDs from `offset` on that stand in this place, at most `limit`: of a list those that came last come first.
    async fn members(
        &self,
        queue: &QueueName,
        place: &Spot,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<TaskId>, BrokerError>;

    /// Where IDs stand and what is stored under them, each as it is at one moment. With `search` they are also looked for
    /// in the list of pending tasks: within a thousand of both its ends, and of the places where they were met.
    async fn standings(
        &self,
        queue: &QueueName,
        ids: &[Glimpse],
        search: bool,
    ) -> Result<Vec<Standing>, BrokerError>;

    /// Has an ID stand in this place and nowhere else, with its score there, and its state agree; or nowhere, and
    /// deletes what is stored under it. `false` when it is not as in `seen` any more, of a call with `search`.
    async fn put_right(
        &self,
        queue: &QueueName,
        seen: &Standing,
        to: Option<&(Spot, i64)>,
    ) -> Result<bool, BrokerError>;

    /// What is known of groups, each as it is at one moment.
    async fn group_standings(
        &self,
        queue: &QueueName,
        groups: &[String],
    ) -> Result<Vec<GroupStanding>, BrokerError>;

    /// Takes a group out of the set of groups, if it is empty.
    async fn forget_group(&self, queue: &QueueName, group: &str) -> Result<bool, BrokerError>;

    /// Makes an aggregation set that nobody knows of one whose time is up, so that its tasks go back to their group.
    async fn expire_set(&self, queue: &QueueName, name: &str) -> Result<bool, BrokerError>;

    /// What stands in locks, each as it is at one moment; none for one that nobody holds.
    async fn lock_standings(
        &self,
        queue: &QueueName,
        keys: &[String],
    ) -> Result<Vec<Option<LockStanding>>, BrokerError>;

    /// Deletes a lock that is as it was seen.
    async fn release_lock(&self, queue: &QueueName, seen: &LockStanding) -> Result<bool, BrokerError>;

    /// Makes a queue one of those that are known; `false` when it was.
    async fn make_known(&self, queue: &QueueName) -> Result<bool, BrokerError>;

    /// Has a key go away by itself after this time, if it never would.
    async fn expire_key(&self, key: &str, after: Duration) -> Result<bool, BrokerError>;

    /// Renames a key that holds something of this kind: the new name.
    async fn put_aside(&self, key: &str, kind: &str) -> Result<Option<String>, BrokerError>;

    /// The names of servers, workers and schedulers that have expired and left nothing else behind.
    async fn dead_processes(&self) -> Result<Vec<String>, BrokerError>;
}

/// A place in a scan over keys.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "in memory there is one place"))]
pub struct KeyCursor {
    /// Which node of a cluster, by their order.
    pub(super) node: usize,
    pub(super) cursor: u64,
}

/// Some keys.
#[derive(Clone, Debug, Default)]
pub struct KeyPage {
    /// The keys; there may be none although more follow.
    pub keys: Vec<String>,
    /// Where to go on; `None` at the end.
    pub next: Option<KeyCursor>,
}

/// What a key holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyKind {
    /// Redis's name for it: `string`, `list`, `set`, `zset`, `hash`; `none` where there is no such key.
    pub kind: String,
    /// When it goes away by itself, if it does.
    pub expires_in: Option<Duration>,
}

/// Where an ID can stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Spot {
    /// Where the tasks of one state do.
    In(Collection),
    /// In an aggregation set: the name of the group, a colon, and an ID.
    Staged(String),
    /// Among the leases, which is beside where it stands.
    Lease,
}

impl Spot {
    /// The state of the tasks that stand there; none of a lease, which is beside that.
    pub fn state(&self) -> Option<TaskState> {
        match self {
            Self::In(collection) => Some(collection.state()),
            Self::Staged(_) => Some(TaskState::Aggregating),
            Self::Lease => None,
        }
    }
}

/// An ID, and where it was met.
#[derive(Clone, Debug, PartialEq)]
pub struct Glimpse {
    /// The ID.
    pub id: TaskId,
    /// Where it was met; `None` when only what is stored under it was.
    pub at: Option<Spot>,
    /// At which places of the list of pending tasks it was met, counted from where tasks enter.
    pub near: Vec<usize>,
}

/// Where an ID stands, and what is stored under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The ID.
    pub id: TaskId,
    /// What its key holds, as [`KeyKind::kind`] names it.
    pub kind: String,
    /// The message, as it is stored.
    pub message: Option<Bytes>,
    /// The state that is stored with it; empty for none.
    pub state: String,
    /// The group that is stored with it; empty for none.
    pub group: String,
    /// When its lease ends, Unix seconds.
    pub lease: Option<i64>,
    /// How often it was found in the list of pending tasks; `None` where nobody looked.
    pub pending: Option<usize>,
    /// Where else it stands, with its scores; a list has none.
    pub spots: Vec<(Spot, i64)>,
    /// Fields of our own that name a run, or the group that it is to join later, if it has them.
    pub own: BTreeMap<String, Bytes>,
    /// Since when it is pending, or was at last: Unix nanoseconds, as they are stored.
    pub(super) since: Bytes,
    /// Where it was met, as asked.
    pub(super) glimpse: Glimpse,
    /// Differs when anything else here does.
    pub(super) version: Bytes,
}

impl Standing {
    /// Differs, most likely, when anything else does but its lease and the list of pending tasks; also when it has left
    /// that list and entered it again.
    pub fn trace(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.kind, &self.message, &self.state, &self.group).hash(&mut hasher);
        (&self.spots, &self.own, &self.since).hash(&mut hasher);
        hasher.finish()
    }
}

/// What is known of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupStanding {
    /// Its name.
    pub name: String,
    /// Whether it is in the set of groups.
    pub is_listed: bool,
    /// Whether it is an aggregation set that is known as one.
    pub is_set: bool,
    /// How many IDs stand in it.
    pub size: usize,
    /// The group that its first task names.
    pub group_of_first: String,
}

/// What stands in a uniqueness lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockStanding {
    /// Its key.
    pub key: String,
    /// Its value: an ID, or more.
    pub value: String,
    /// The ID in it.
    pub holder: TaskId,
    /// Whether it is kept for its whole time, whatever becomes of the task.
    pub is_kept: bool,
    /// How long it lasts; `None` when it never ends.
    pub expires_in: Option<Duration>,
    /// The state of the task, as it is stored; `None` when there is no task.
    pub state: Option<String>,
}

impl LockStanding {
    /// What stands in a lock, given its value, the milliseconds that it has left (fewer than none: it never ends) and
    /// the state of its task.
    pub(super) fn read(key: String, value: String, left: i64, state: Option<String>) -> Self {
        let (holder, is_kept) = read_lock(&value);
        Self {
            key,
            holder: TaskId::stored(holder),
            is_kept,
            expires_in: u64::try_from(left).ok().map(Duration::from_millis),
            state,
            value,
        }
    }
}
