//! [`Queue`]: the collections of one queue, and every step that a task takes between them.
//!
//! Invariant, unless somebody broke the store from outside: an ID is in exactly one of pending, active,
//! scheduled, retry, archived, completed, the groups and the aggregation sets; its hash exists, and says which; and exactly the active
//! IDs have a lease.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::locks::{Locks, NewLock};
use super::schedules::Ticks;
use super::scored_set::ScoredSet;
use super::statistics::{Increment, Statistics};
use super::store::Moment;
use super::task_hash::{TaskHash, field};
use super::waits::Waiting;
use crate::broker::snapshot::Snapshot;
use crate::broker::{
    ActiveTask, ArchiveLimits, CROWD, Forwarded, LEASE, LOOK_AHEAD, LeaseRef, OF_LATE, OwnerBeat, Place,
    Placement, RunToken, Settled, Settlement, StoredMessage, Transition, Undecodable,
};
use crate::task::{TaskId, TaskState, UniqueUntil};
use crate::wire::TaskMessage;

/// How many due tasks of each kind one call of [`Queue::forward`] moves.
const FORWARD_LIMIT: usize = 100;

/// How many archived tasks one settlement drops for their age, and again for their number.
const TRIM_LIMIT: usize = 1_000;

/// The collections of one queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Tasks enter at the front (Redis's left) and are taken from the back.
    pub(super) pending: VecDeque<TaskId>,
    /// As `pending`: the oldest is at the back.
    pub(super) active: VecDeque<TaskId>,
    /// By the end of the lease.
    pub(super) lease: ScoredSet,
    /// By the time due.
    pub(super) scheduled: ScoredSet,
    /// By the time due.
    pub(super) retry: ScoredSet,
    /// By the time of giving up.
    pub(super) archived: ScoredSet,
    /// By the end of the retention.
    pub(super) completed: ScoredSet,
    /// The names of groups that hold tasks.
    pub(super) groups: BTreeSet<String>,
    /// The tasks of each group, by the time added.
    pub(super) group_members: BTreeMap<String, ScoredSet>,
    /// Aggregation sets by the end of their time; a name is that of the group, a colon, and an ID.
    pub(super) sets: ScoredSet<Arc<str>>,
    /// The tasks of each set, by the time added to the group.
    pub(super) set_members: BTreeMap<Arc<str>, ScoredSet>,
    pub(super) tasks: HashMap<TaskId, TaskHash>,
    /// Unix seconds.
    pub(super) paused_since: Option<i64>,
    pub(super) statistics: Statistics,
    /// Servers that may hold tasks of this queue, by their last beat.
    pub(super) owners: ScoredSet<Arc<str>>,
    /// What schedulers enqueued here last.
    pub(super) ticks: Ticks,
    /// Which tasks somebody waits for.
    pub(super) waiting: Waiting,
}

/// A task that was taken.
#[derive(Debug)]
pub(super) struct LeasedTask {
    pub(super) id: TaskId,
    pub(super) message: StoredMessage,
    /// Unix nanoseconds.
    pub(super) pending_since: Option<i64>,
}

/// What one exchange came by in a queue and did not take.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// IDs without a task.
    pub(super) dropped: Vec<String>,
    /// Tasks that did not fit, the first first.
    pub(super) over: Vec<TaskId>,
}

/// What all leases of one exchange share.
#[derive(Debug)]
pub(super) struct LeaseGrant {
    server_id: Bytes,
    run_bytes: Bytes,
    pub(super) run: RunToken,
    /// Unix seconds.
    pub(super) until: i64,
}

impl LeaseGrant {
    pub(super) fn new(server_id: &str, now: Moment) -> Self {
        let run = RunToken::random();
        Self {
            server_id: Bytes::copy_from_slice(server_id.as_bytes()),
            run_bytes: Bytes::copy_from_slice(run.as_str().as_bytes()),
            run,
            until: now.seconds.saturating_add(whole_seconds(LEASE)),
        }
    }
}

impl Queue {
    /// Whether there is something in this place.
    pub(super) fn has(&self, place: Place) -> bool {
        match place {
            Place::Later => !self.scheduled.is_empty() || !self.retry.is_empty(),
            Place::Active => !self.active.is_empty(),
            Place::Ended => !self.completed.is_empty() || !self.archived.is_empty(),
            Place::Groups => !self.groups.is_empty() || !self.sets.is_empty(),
            Place::Servers => !self.owners.is_empty(),
        }
    }

    /// The last beat of every server.
    pub(super) fn beats(&self) -> Vec<OwnerBeat> {
        self.owners.iter().map(|(server_id, at)| OwnerBeat { server_id: server_id.to_string(), at }).collect()
    }

    /// Stores a task whose ID is free, and which took this lock.
    pub(super) fn add(
        &mut self,
        message: &TaskMessage,
        placement: Placement,
        lock: Option<&NewLock<'_>>,
        now: Moment,
    ) {
        let id = TaskId::stored(&message.id);
        let mut task = TaskHash::default();
        task.set(field::MSG, message.encode());
        note_lock(&mut task, message, lock);
        match placement {
            Placement::Pending => {
                self.pending.push_front(id.clone());
                set_pending(&mut task, now);
            }
            Placement::Scheduled(at) => {
                self.scheduled.insert(id.clone(), at);
                task.set_state(TaskState::Scheduled);
                if !message.group_key.is_empty() {
                    // Not in the field that Go's forwarder reads: see `insert.lua`.
                    task.set(field::GROUP_LATER, message.group_key.clone());
                }
            }
            Placement::Group => {
                self.join_group(id.clone(), &message.group_key, now);
                task.set(field::GROUP, message.group_key.clone());
                task.set_state(TaskState::Aggregating);
            }
        }
        self.tasks.insert(id, task);
    }

    fn join_group(&mut self, id: TaskId, group: &str, now: Moment) {
        self.group_members.entry(group.to_owned()).or_default().insert(id, now.seconds);
        // Compat: Go forgets this on the way back from retry, and then never aggregates the group.
        self.groups.insert(group.to_owned());
    }

    /// Takes the next task. IDs without a task, or taken by this grant before, are removed on the way and put into
    /// `passed.dropped`; tasks that do not fit, into `passed.over`.
    pub(super) fn lease_next(
        &mut self,
        grant: &LeaseGrant,
        fits: &mut impl FnMut(&StoredMessage) -> bool,
        passed: &mut Passed,
    ) -> Option<LeasedTask> {
        while passed.over.len() < LOOK_AHEAD {
            let id = self.pending.pop_back()?;
            let found = self
                .tasks
                .get_mut(&id)
                .filter(|task| !task.is_run(Some(&grant.run)))
                .and_then(|task| Some((decode(task.message()?.clone()), task)));
            let Some((message, task)) = found else {
                passed.dropped.push(id.as_str().to_owned());
                continue;
            };
            if !fits(&message) {
                passed.over.push(id);
                continue;
            }
            task.set_state(TaskState::Active);
            task.set(field::OWNER, grant.server_id.clone());
            task.set(field::RUN, grant.run_bytes.clone());
            let pending_since = task.text(field::PENDING_SINCE).and_then(|nanos| nanos.parse().ok());
            task.unset(field::PENDING_SINCE);
            self.active.push_front(id.clone());
            self.lease.insert(id.clone(), grant.until);
            return Some(LeasedTask { id, message, pending_since });
        }
        None
    }

    /// Puts tasks that were passed over back to where they were.
    pub(super) fn put_back(&mut self, over: Vec<TaskId>) {
        self.pending.extend(over.into_iter().rev());
    }

    /// Ends a run, if that run still holds the task; otherwise nothing changes.
    pub(super) fn settle(
        &mut self,
        settlement: &Settlement,
        locks: &mut Locks,
        now: Moment,
        archive_limits: &ArchiveLimits,
        count: &mut Increment,
    ) -> Settled {
        let Settlement { queue: _, id, run, lease_until, transition } = settlement;
        let same_run = self.tasks.get(id).is_some_and(|task| task.is_run(run.as_ref()));
        // A missing lease entry is no reason to refuse: it was lost, not given to another run.
        let leased_later = self.lease.score(id.as_str()).is_some_and(|until| until > *lease_until);
        if !same_run || leased_later || !self.remove_active(id) {
            return Settled::Refused;
        }
        match transition {
            Transition::Done { unique_key } | Transition::Revoke { unique_key } => {
                self.tasks.remove(id);
                count.success();
                locks.release(unique_key, id.as_str());
            }
            Transition::Complete { message, until, result } => {
                let task = self.end_run(id, TaskState::Completed, Some(message));
                if let Some(result) = result {
                    task.set(field::RESULT, result.clone());
                }
                self.completed.insert(id.clone(), *until);
                count.success();
                locks.release(&message.unique_key, id.as_str());
            }
            Transition::Retry { message, at, is_failure } => {
                self.end_run(id, TaskState::Retry, Some(message));
                self.retry.insert(id.clone(), *at);
                if *is_failure {
                    count.failure();
                }
            }
            Transition::PutBack { message, at, limit: None } => {
                self.end_run(id, TaskState::Retry, Some(message));
                self.retry.insert(id.clone(), *at);
            }
            Transition::PutBack { message, at, limit: Some(limit) } => {
                let task = self.end_run(id, TaskState::Retry, Some(message));
                let misses = task.misses().saturating_add(1);
                task.set(field::MISSES, misses.to_string());
                if misses < *limit {
                    self.retry.insert(id.clone(), *at);
                } else {
                    task.set_state(TaskState::Archived);
                    self.archived.insert(id.clone(), now.seconds);
                    count.failure();
                    self.trim_archive(now, archive_limits);
                }
            }
            Transition::Archive { message, unique_key } => {
                self.end_run(id, TaskState::Archived, message.as_ref());
                locks.release(unique_key, id.as_str());
                self.archived.insert(id.clone(), now.seconds);
                count.failure();
                self.trim_archive(now, archive_limits);
            }
            Transition::Requeue { crashed } => {
                let task = self.end_run(id, TaskState::Pending, None);
                set_pending(task, now);
                if *crashed {
                    let crashes = task.crashes().saturating_add(1);
                    task.set(field::CRASHES, crashes.to_string());
                }
                self.pending.push_back(id.clone());
            }
        }
        self.waiting.end(id, matches!(transition, Transition::Done { .. }), now);
        Settled::Applied
    }

    /// Whether many tasks are active, and this one was not taken of late.
    pub(super) fn is_crowded_for(&self, id: &TaskId) -> bool {
        self.active.len() > CROWD && !self.active.iter().take(OF_LATE).any(|active| active == id)
    }

    /// Takes an ID out of active and its lease away; `false`, and nothing changed, when it is not active.
    fn remove_active(&mut self, id: &TaskId) -> bool {
        let Some(place) = self.active.iter().rposition(|active| active == id) else {
            return false;
        };
        self.active.remove(place);
        self.lease.remove(id.as_str());
        true
    }

    /// The task after its run: in this state, and with this message if there is a new one.
    fn end_run(&mut self, id: &TaskId, state: TaskState, message: Option<&TaskMessage>) -> &mut TaskHash {
        let task = self.tasks.entry(id.clone()).or_default();
        if let Some(message) = message {
            task.set(field::MSG, message.encode());
        }
        task.set_state(state);
        task.unset_run();
        task
    }

    /// Drops archived tasks that are too old or too many, lowest first.
    fn trim_archive(&mut self, now: Moment, limits: &ArchiveLimits) {
        self.drop_archived(limits.cutoff(now.seconds), TRIM_LIMIT);
        let excess = self.archived.len().saturating_sub(limits.tasks);
        self.drop_archived(i64::MAX, excess.min(TRIM_LIMIT));
    }

    /// Drops at most `limit` archived tasks of this score or less: how many.
    pub(super) fn drop_archived(&mut self, up_to: i64, limit: usize) -> usize {
        let dropped = self.archived.up_to(up_to, limit);
        for (id, _) in &dropped {
            self.archived.remove(id.as_str());
            self.tasks.remove(id);
        }
        self.statistics.add_trimmed(dropped.len());
        dropped.len()
    }

    /// Extends the lease of a run that still holds its task.
    pub(super) fn extend_lease(&mut self, lease: &LeaseRef, until: i64) -> bool {
        let LeaseRef { id, run } = lease;
        let holds =
            self.tasks.get(id).is_some_and(|task| task.is_run(Some(run)) && task.is(TaskState::Active));
        if holds {
            self.lease.insert(id.clone(), until);
        }
        holds
    }

    /// Moves due tasks to pending, or back to the group they came from.
    pub(super) fn forward(&mut self, now: Moment) -> Forwarded {
        let mut moved = 0;
        for (id, _) in self.scheduled.up_to(now.seconds, FORWARD_LIMIT) {
            self.scheduled.remove(id.as_str());
            moved += usize::from(self.make_ready(&id, &[field::GROUP, field::GROUP_LATER], now));
        }
        for (id, _) in self.retry.up_to(now.seconds, FORWARD_LIMIT) {
            self.retry.remove(id.as_str());
            // Once a scheduled task has run, it is tried again alone.
            moved += usize::from(self.make_ready(&id, &[field::GROUP], now));
        }
        let next_due = self.scheduled.lowest().into_iter().chain(self.retry.lowest()).min();
        Forwarded { moved, next_due }
    }

    /// Moves a task to the group that the first of these fields names, or to pending. `false` for an ID without a
    /// task, which is left nowhere.
    fn make_ready(&mut self, id: &TaskId, group_fields: &[&str], now: Moment) -> bool {
        let Some(task) = self.tasks.get_mut(id).filter(|task| task.message().is_some()) else { return false };
        // A Go process that settles one of our runs leaves them behind.
        task.unset_run();
        let group = group_fields
            .iter()
            .find_map(|name| task.text(name).filter(|group| !group.is_empty()))
            .map(Cow::into_owned);
        task.unset(field::GROUP_LATER);
        if let Some(group) = group {
            task.set_state(TaskState::Aggregating);
            task.set(field::GROUP, group.clone());
            self.join_group(id.clone(), &group, now);
        } else {
            set_pending(task, now);
            self.pending.push_front(id.clone());
        }
        true
    }

    /// Active tasks by the end of their lease, up to `until`.
    pub(super) fn expiring(&self, until: i64, limit: usize) -> Vec<ActiveTask> {
        self.lease.up_to(until, limit).iter().filter_map(|(id, _)| self.active_task(id)).collect()
    }

    /// Active tasks of a server among the oldest, and how many IDs were looked at.
    pub(super) fn owned_by(&self, server_id: &str, offset: usize, limit: usize) -> (Vec<ActiveTask>, usize) {
        let looked_at = self.oldest_active(offset, limit);
        let owned = looked_at
            .iter()
            .filter_map(|id| self.active_task(id))
            .filter(|task| task.owner.as_deref() == Some(server_id))
            .collect();
        (owned, looked_at.len())
    }

    fn oldest_active(&self, offset: usize, limit: usize) -> Vec<TaskId> {
        self.active.iter().rev().skip(offset).take(limit).cloned().collect()
    }

    /// `None` for an ID without a task.
    fn active_task(&self, id: &TaskId) -> Option<ActiveTask> {
        let task = self.tasks.get(id)?;
        Some(ActiveTask {
            id: id.clone(),
            lease_until: self.lease.score(id.as_str()).unwrap_or(0),
            run: task.text(field::RUN).map(|run| RunToken::stored(&run)),
            owner: task.text(field::OWNER).map(Cow::into_owned),
            crashes: task.crashes(),
            message: decode(task.message()?.clone()),
        })
    }

    /// Gives active tasks without a lease one that ends now, and drops IDs without a task and leases of tasks that
    /// do not say that they are active.
    pub(super) fn mend_active(&mut self, offset: usize, limit: usize, now: Moment) -> (usize, usize) {
        let looked_at = self.oldest_active(offset, limit);
        let mut mended = 0;
        for id in &looked_at {
            if self.tasks.get(id).and_then(TaskHash::message).is_none() {
                self.remove_active(id);
                mended += 1;
            } else if self.lease.score(id.as_str()).is_none() {
                self.lease.insert(id.clone(), now.seconds);
                mended += 1;
            }
        }
        // Once in a round over the list is enough.
        if offset == 0 {
            for (id, _) in self.lease.up_to(i64::MAX, limit) {
                if !self.tasks.get(&id).is_some_and(|task| task.is(TaskState::Active)) {
                    self.lease.remove(id.as_str());
                    mended += 1;
                }
            }
        }
        (mended, looked_at.len())
    }

    /// Deletes completed tasks whose retention is over.
    pub(super) fn delete_expired_completed(&mut self, limit: usize, now: Moment) -> usize {
        let expired = self.completed.up_to(now.seconds, limit);
        for (id, _) in &expired {
            self.completed.remove(id.as_str());
            self.tasks.remove(id);
        }
        expired.len()
    }

    /// What is stored of a task; `None` when there is no such task.
    pub(super) fn snapshot(&self, id: &TaskId) -> Option<Snapshot> {
        let task = self.tasks.get(id)?;
        let due = if task.is(TaskState::Scheduled) { &self.scheduled } else { &self.retry };
        Some(Snapshot {
            message: task.message()?.clone(),
            state: task.text(field::STATE).unwrap_or_default().into_owned(),
            result: task.get(field::RESULT).cloned(),
            lease_until: self.lease.score(id.as_str()),
            due: due.score(id.as_str()),
        })
    }

    /// Stores a result with a task; `false` when there is none.
    pub(super) fn write_result(&mut self, id: &TaskId, result: &Bytes) -> bool {
        let task = self.tasks.get_mut(id).filter(|task| task.message().is_some());
        let exists = task.is_some();
        if let Some(task) = task {
            task.set(field::RESULT, result.clone());
        }
        exists
    }
}

/// Notes with a task that it took the lock of its message.
pub(super) fn note_lock(task: &mut TaskHash, message: &TaskMessage, lock: Option<&NewLock<'_>>) {
    let Some(lock) = lock else { return };
    task.set(field::UNIQUE_KEY, message.unique_key.clone());
    if lock.until == UniqueUntil::Start {
        task.set(field::UNTIL, lock.until.as_str());
    }
}

/// Marks a task as pending from now on, so that latency counts from here.
pub(super) fn set_pending(task: &mut TaskHash, now: Moment) {
    task.set_state(TaskState::Pending);
    task.set(field::PENDING_SINCE, now.nanos.to_string());
}

pub(super) fn decode(bytes: Bytes) -> StoredMessage {
    TaskMessage::decode(bytes.clone()).map_err(|error| Undecodable { bytes, error })
}

pub(super) fn whole_seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
