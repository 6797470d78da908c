//! What an operator does to tasks in memory: the steps of `change.lua`, `edit.lua` and `adopt.lua`.

use async_trait::async_trait;

use super::MemoryBroker;
use super::locks::{Locks, NewLock};
use super::queue::{Queue, note_lock, set_pending};
use super::scored_set::ScoredSet;
use super::store::Moment;
use super::task_hash::{TaskHash, field};
use crate::broker::{
    Adoption, ArchiveLimits, Broker, BrokerError, BrokerErrorKind, Change, Changed, ChangedMany, Changes,
    Collection, Edit, Edited, EnqueueError, QueueDeletion,
};
use crate::task::{QueueName, TaskId, TaskState, UnknownState};
use crate::wire::TaskMessage;

/// How many archived tasks one call drops for their age, and again for their number.
const TRIM_LIMIT: usize = 200;

#[async_trait]
impl Changes for MemoryBroker {
    async fn change(&self, queue: &QueueName, id: &TaskId, change: Change) -> Result<Changed, BrokerError> {
        let now = self.now();
        let (changed, ended) = {
            let mut store = self.shared().lock();
            let (Some(queue), locks) = store.queue_and_locks(queue) else { return Ok(Changed::NotFound) };
            (queue.change_one(id, change, locks, now, &self.archive_limits), queue.take_ended())
        };
        self.publish_ends(queue, ended);
        self.wake(change == Change::Run && changed == Changed::Applied);
        Ok(changed)
    }

    async fn change_first(
        &self,
        queue: &QueueName,
        collection: &Collection,
        change: Change,
        limit: usize,
    ) -> Result<ChangedMany, BrokerError> {
        if limit == 0 {
            return Ok(ChangedMany::default());
        }
        let now = self.now();
        let (changed, ended) = {
            let mut store = self.shared().lock();
            let (Some(queue), locks) = store.queue_and_locks(queue) else {
                return Ok(ChangedMany::default());
            };
            (
                queue.change_first(collection, change, limit, locks, now, &self.archive_limits),
                queue.take_ended(),
            )
        };
        self.publish_ends(queue, ended);
        self.wake(change == Change::Run && changed.changed > 0);
        Ok(changed)
    }

    async fn edit(&self, queue: &QueueName, id: &TaskId, edit: &Edit) -> Result<Edited, BrokerError> {
        let mut store = self.shared().lock();
        let Some(queue) = store.queues.get_mut(queue) else { return Ok(Edited::NotFound) };
        queue
            .edit(id, edit)
            .map_err(|unknown| BrokerError::new(BrokerErrorKind::Protocol, "edit a task", unknown))
    }

    async fn adopt(&self, task: &Adoption) -> Result<(), EnqueueError> {
        if task.state == TaskState::Active {
            return Err(BrokerError::protocol("adopt a task").into());
        }
        let now = self.now();
        self.shared().lock().adopt(task, now)?;
        self.wake(task.state == TaskState::Pending);
        Ok(())
    }

    async fn delete_queue(&self, queue: &QueueName, force: bool) -> Result<QueueDeletion, BrokerError> {
        Ok(self.shared().lock().delete_queue(queue, force, self.keyspace()))
    }
}

impl Queue {
    fn change_one(
        &mut self,
        id: &TaskId,
        change: Change,
        locks: &mut Locks,
        now: Moment,
        archive_limits: &ArchiveLimits,
    ) -> Changed {
        let Some(task) = self.tasks.get(id) else { return Changed::NotFound };
        if task.message().is_none() && change != Change::Delete {
            return Changed::NotFound;
        }
        let state = task.text(field::STATE).unwrap_or_default().parse::<TaskState>();
        let group = task.text(field::GROUP).unwrap_or_default().into_owned();
        let state = match state {
            // Compat: where Go's trimming failed half-way, an archived task says that it is active.
            Ok(TaskState::Active)
                if self.archived.score(id.as_str()).is_some() && self.lease.score(id.as_str()).is_none() =>
            {
                Ok(TaskState::Archived)
            }
            state => state,
        };
        match (change, &state) {
            (_, Ok(TaskState::Active)) => return Changed::Refused(TaskState::Active),
            (Change::Run, Ok(TaskState::Pending)) => return Changed::Refused(TaskState::Pending),
            (Change::Archive, Ok(TaskState::Archived)) => return Changed::Refused(TaskState::Archived),
            _ => {}
        }
        let is_in_group =
            || self.group_members.get(&*group).is_some_and(|group| group.score(id.as_str()).is_some());
        if state == Ok(TaskState::Aggregating) && !is_in_group() && self.is_staged(id) {
            return Changed::Staged;
        }
        if let Ok(state) = state {
            self.take_out(id, state, &group);
        }
        self.apply(id, change, locks, now);
        self.trim_after(change, locks, now, archive_limits);
        Changed::Applied
    }

    /// Whether an aggregator has a task in hand.
    fn is_staged(&self, id: &TaskId) -> bool {
        let sets = self.sets.iter().filter_map(|(key, _)| self.set_members.get(key));
        sets.into_iter().any(|members| members.score(id.as_str()).is_some())
    }

    /// Removes an ID from where tasks of this state stand.
    fn take_out(&mut self, id: &TaskId, state: TaskState, group: &str) {
        match state {
            TaskState::Pending => {
                if let Some(place) = self.pending.iter().rposition(|pending| pending == id) {
                    self.pending.remove(place);
                }
            }
            TaskState::Aggregating => {
                if let Some(members) = self.group_members.get_mut(group) {
                    members.remove(id.as_str());
                }
                self.forget_if_empty(group);
            }
            TaskState::Scheduled => self.scheduled.remove(id.as_str()),
            TaskState::Retry => self.retry.remove(id.as_str()),
            TaskState::Archived => self.archived.remove(id.as_str()),
            TaskState::Completed => self.completed.remove(id.as_str()),
            TaskState::Active => {}
        }
    }

    fn forget_if_empty(&mut self, group: &str) {
        if self.group_members.get(group).is_none_or(ScoredSet::is_empty) {
            self.group_members.remove(group);
            self.groups.remove(group);
        }
    }

    /// Changes a task whose ID stands nowhere.
    fn apply(&mut self, id: &TaskId, change: Change, locks: &mut Locks, now: Moment) {
        if change != Change::Run {
            self.waiting.end(id, false, now);
        }
        if change == Change::Delete {
            if let Some(task) = self.tasks.remove(id) {
                release(id, &task, locks);
            }
            return;
        }
        let Some(task) = self.tasks.get_mut(id) else { return };
        task.unset_run();
        if change == Change::Run {
            set_pending(task, now);
            for left in [field::GROUP, field::GROUP_LATER, field::CRASHES] {
                task.unset(left);
            }
            self.pending.push_front(id.clone());
        } else {
            task.set_state(TaskState::Archived);
            self.archived.insert(id.clone(), now.seconds);
        }
    }

    fn trim_after(&mut self, change: Change, locks: &mut Locks, now: Moment, limits: &ArchiveLimits) {
        if change != Change::Archive {
            return;
        }
        self.drop_archived_and_locks(limits.cutoff(now.seconds), TRIM_LIMIT, locks);
        let excess = self.archived.len().saturating_sub(limits.tasks);
        self.drop_archived_and_locks(i64::MAX, excess.min(TRIM_LIMIT), locks);
    }

    fn drop_archived_and_locks(&mut self, up_to: i64, limit: usize, locks: &mut Locks) {
        let dropped = self.archived.up_to(up_to, limit);
        self.statistics.add_trimmed(dropped.len());
        for (id, _) in dropped {
            self.archived.remove(id.as_str());
            if let Some(task) = self.tasks.remove(&id) {
                release(&id, &task, locks);
            }
        }
    }

    fn change_first(
        &mut self,
        collection: &Collection,
        change: Change,
        limit: usize,
        locks: &mut Locks,
        now: Moment,
        archive_limits: &ArchiveLimits,
    ) -> ChangedMany {
        let ids = self.take_first(collection, limit);
        let mut changed = ChangedMany::default();
        for id in ids {
            let is_here = self.tasks.get(&id).is_some_and(|task| {
                let says = task.is(collection.state())
                    || (task.is(TaskState::Active) && self.lease.score(id.as_str()).is_none());
                says && (task.message().is_some() || change == Change::Delete)
            });
            if is_here {
                self.apply(&id, change, locks, now);
                changed.changed += 1;
            } else {
                changed.dropped += 1;
            }
        }
        if let Some(group) = collection.group() {
            self.forget_if_empty(group);
        }
        self.trim_after(change, locks, now, archive_limits);
        changed.left = match collection {
            Collection::Pending => self.pending.len(),
            Collection::Active => self.active.len(),
            other => self.sorted(other).map_or(0, ScoredSet::len),
        };
        changed
    }

    fn take_first(&mut self, collection: &Collection, limit: usize) -> Vec<TaskId> {
        let set = match collection {
            Collection::Active => return Vec::new(),
            Collection::Pending => {
                let rest = self.pending.len().saturating_sub(limit);
                return self.pending.drain(rest..).rev().collect();
            }
            Collection::Scheduled => &mut self.scheduled,
            Collection::Retry => &mut self.retry,
            Collection::Archived => &mut self.archived,
            Collection::Completed => &mut self.completed,
            Collection::Group(name) => match self.group_members.get_mut(name) {
                Some(members) => members,
                None => return Vec::new(),
            },
        };
        let first = set.up_to(i64::MAX, limit);
        for (id, _) in &first {
            set.remove(id.as_str());
        }
        first.into_iter().map(|(id, _)| id).collect()
    }

    fn edit(&mut self, id: &TaskId, edit: &Edit) -> Result<Edited, UnknownState> {
        let Some(task) = self.tasks.get_mut(id) else { return Ok(Edited::NotFound) };
        let Some(stored) = task.message() else { return Ok(Edited::NotFound) };
        let state = task.text(field::STATE).unwrap_or_default().parse::<TaskState>()?;
        if !matches!(
            state,
            TaskState::Pending | TaskState::Scheduled | TaskState::Retry | TaskState::Archived
        ) {
            return Ok(Edited::Refused(state));
        }
        if *stored != edit.expected {
            return Ok(Edited::Changed);
        }
        if let Some(message) = &edit.message {
            task.set(field::MSG, message.encode());
        }
        let Some(due) = edit.due else { return Ok(Edited::Applied) };
        match state {
            TaskState::Retry => self.retry.insert(id.clone(), due),
            TaskState::Scheduled => self.scheduled.insert(id.clone(), due),
            _ => {
                task.set_state(TaskState::Scheduled);
                task.unset(field::PENDING_SINCE);
                task.unset(field::CRASHES);
                task.unset_run();
                self.take_out(id, state, "");
                self.scheduled.insert(id.clone(), due);
            }
        }
        Ok(Edited::Applied)
    }

    /// Makes way for a task of the same ID, unless the one that is there is being run or aggregated: whether it did.
    pub(super) fn make_way(&mut self, id: &TaskId, locks: &mut Locks) -> bool {
        let Some(task) = self.tasks.get(id) else { return true };
        let state = task.text(field::STATE).unwrap_or_default().parse::<TaskState>();
        let group = task.text(field::GROUP).unwrap_or_default().into_owned();
        let is_in_group =
            self.group_members.get(&group).is_some_and(|members| members.score(id.as_str()).is_some());
        if state == Ok(TaskState::Active) || (state == Ok(TaskState::Aggregating) && !is_in_group) {
            return false;
        }
        if let Ok(state) = state {
            self.take_out(id, state, &group);
        }
        if let Some(task) = self.tasks.remove(id) {
            locks.release(&task.text(field::UNIQUE_KEY).unwrap_or_default(), id.as_str());
        }
        true
    }

    /// Stores a task whose ID is free, and which took this lock.
    pub(super) fn adopt(&mut self, adoption: &Adoption, lock: Option<&NewLock<'_>>, now: Moment) {
        let Adoption { message, state, score, fields, .. } = adoption;
        let group = adoption.group();
        let id = TaskId::stored(&message.id);
        let mut task = TaskHash::default();
        if *state == TaskState::Pending {
            set_pending(&mut task, now);
        }
        if *state == TaskState::Aggregating {
            task.set(field::GROUP, group.to_owned());
        }
        task.set(field::MSG, message.encode());
        for (name, value) in fields {
            task.set(name.clone(), value.clone());
        }
        note_lock(&mut task, message, lock);
        task.set_state(*state);
        match state {
            TaskState::Scheduled => self.scheduled.insert(id.clone(), *score),
            TaskState::Retry => self.retry.insert(id.clone(), *score),
            TaskState::Archived => self.archived.insert(id.clone(), *score),
            TaskState::Completed => self.completed.insert(id.clone(), *score),
            TaskState::Aggregating => {
                self.groups.insert(group.to_owned());
                self.group_members.entry(group.to_owned()).or_default().insert(id.clone(), *score);
            }
            _ => self.pending.push_front(id.clone()),
        }
        self.tasks.insert(id, task);
    }
}

/// Releases the lock of a task that is gone.
fn release(id: &TaskId, task: &TaskHash, locks: &mut Locks) {
    match task.text(field::UNIQUE_KEY).filter(|key| !key.is_empty()) {
        Some(key) => locks.release(&key, id.as_str()),
        // Compat: Go notes the lock of a grouped task in its message alone.
        None if task.get(field::GROUP).is_some() => {
            if let Some(message) = task.message().and_then(|bytes| TaskMessage::decode(bytes.clone()).ok()) {
                locks.release(&message.unique_key, id.as_str());
            }
        }
        None => {}
    }
}
