//! Groups in memory: what becomes of a queue's groups and sets, step by step, and the trait on top.

use std::sync::Arc;

use async_trait::async_trait;

use super::broker::MemoryBroker;
use super::queue::{Queue, decode, whole_seconds};
use super::scored_set::ScoredSet;
use super::store::{Moment, Store};
use super::task_hash::{TaskHash, field};
use crate::broker::{
    AGGREGATION_TIMEOUT, BrokerError, EnqueueError, FinishedMember, FinishedSet, GroupPage, GroupRule,
    GroupState, Groups, Member, NewTask, Placement, Reclaimed, RejectedMember, SetName,
};
use crate::task::{QueueName, TaskId, TaskState};
use crate::wire::TaskMessage;

/// How many stale sets one call puts back.
const RECLAIM_LIMIT: usize = 10;

impl Queue {
    fn group_states(&self) -> Vec<GroupState> {
        let type_of = |id: &TaskId| TaskMessage::type_in(self.tasks.get(id)?.message()?);
        let state = |name: &String| {
            let members = self.group_members.get(name);
            let (first, last) = members.map(|members| (members.first(), members.last())).unwrap_or_default();
            GroupState {
                name: name.clone(),
                size: members.map_or(0, ScoredSet::len),
                oldest: first.map_or(0, |(_, score)| score),
                newest: last.map_or(0, |(_, score)| score),
                types: [first, last].map(|member| member.and_then(|(id, _)| type_of(id))),
            }
        };
        self.groups.iter().map(state).collect()
    }

    fn stage_group(&mut self, set: &SetName, rule: &GroupRule, now: Moment) -> bool {
        let key = Arc::<str>::from(set.to_string());
        let Some(members) = self.group_members.get_mut(&set.group) else {
            self.groups.remove(&set.group);
            return false;
        };
        let size = members.len();
        let oldest = members.lowest().unwrap_or(i64::MAX);
        let newest = members.last().map_or(i64::MAX, |(_, score)| score);
        let is_ready = rule.max_size.is_some_and(|enough| size >= enough)
            || rule.max_delay.is_some_and(|delay| oldest <= now.seconds.saturating_sub(delay))
            || newest <= now.seconds.saturating_sub(rule.grace);
        if !is_ready || self.set_members.contains_key(&key) {
            return false;
        }
        let staged = self.set_members.entry(Arc::clone(&key)).or_default();
        for (id, score) in members.up_to(i64::MAX, rule.set_size()) {
            members.remove(id.as_str());
            staged.insert(id, score);
        }
        if members.is_empty() {
            self.group_members.remove(&set.group);
            self.groups.remove(&set.group);
        }
        self.sets.insert(key, now.seconds.saturating_add(whole_seconds(AGGREGATION_TIMEOUT)));
        true
    }

    fn read_set(&self, set: &SetName) -> Vec<Member> {
        let Some(members) = self.set_members.get(set.to_string().as_str()) else { return Vec::new() };
        let member = |(id, _): (&TaskId, i64)| {
            let message = self.tasks.get(id).and_then(TaskHash::message).cloned();
            Member { id: id.clone(), message: message.map(decode) }
        };
        members.iter().map(member).collect()
    }

    fn extend_set(&mut self, set: &SetName, until: i64) -> bool {
        let key = set.to_string();
        let exists = self.sets.score(&key).is_some();
        if exists {
            self.sets.insert(Arc::from(key), until);
        }
        exists
    }

    /// Whether a set is registered and has these members: they leave it together, so the first stands for all.
    fn has_members(&self, set: &SetName, first: Option<&TaskId>) -> bool {
        let key = set.to_string();
        let is_member = |id: &TaskId| {
            self.set_members.get(key.as_str()).is_some_and(|members| members.score(id.as_str()).is_some())
        };
        self.sets.score(&key).is_some() && first.is_none_or(is_member)
    }

    fn leave_set(&mut self, set: &SetName, id: &TaskId) {
        if let Some(members) = self.set_members.get_mut(set.to_string().as_str()) {
            members.remove(id.as_str());
        }
    }

    fn drop_empty_set(&mut self, set: &SetName) {
        let key = set.to_string();
        if self.set_members.get(key.as_str()).is_none_or(ScoredSet::is_empty) {
            self.set_members.remove(key.as_str());
            self.sets.remove(&key);
        }
    }

    fn archive_members(&mut self, set: &SetName, members: &[RejectedMember], now: Moment) -> bool {
        if !self.has_members(set, members.first().map(|member| &member.id)) {
            return false;
        }
        for RejectedMember { id, message } in members {
            self.leave_set(set, id);
            if let Some(task) = self.tasks.get_mut(id).filter(|task| task.message().is_some()) {
                if let Some(message) = message {
                    task.set(field::MSG, message.encode());
                }
                task.set_state(TaskState::Archived);
                self.archived.insert(id.clone(), now.seconds);
            }
        }
        self.drop_empty_set(set);
        true
    }

    fn reclaim_sets(&mut self, now: Moment) -> Reclaimed {
        let stale = self.sets.up_to(now.seconds, RECLAIM_LIMIT);
        for (key, _) in &stale {
            self.sets.remove(key);
            let members = self.set_members.remove(key);
            let (Some(members), Some((group, _))) = (members, key.rsplit_once(':')) else { continue };
            let back = self.group_members.entry(group.to_owned()).or_default();
            for (id, score) in members.iter() {
                let score = back.score(id.as_str()).map_or(score, |other| other.min(score));
                back.insert(id.clone(), score);
            }
            self.groups.insert(group.to_owned());
        }
        Reclaimed { sets: stale.len(), next_due: self.sets.lowest() }
    }

    fn mend_groups(&mut self, groups: &[String]) -> usize {
        let holds_tasks = |group: &&String| self.group_members.contains_key(*group);
        groups.iter().filter(holds_tasks).filter(|group| self.groups.insert((*group).clone())).count()
    }
}

impl Store {
    fn finish_members(
        &mut self,
        name: &QueueName,
        set: &SetName,
        members: &[FinishedMember],
        task: Option<&NewTask>,
        now: Moment,
    ) -> FinishedSet {
        let has_members = |queue: &Queue| queue.has_members(set, members.first().map(|member| &member.id));
        if !self.queues.get(name).is_some_and(has_members) {
            return FinishedSet::Lost;
        }
        match task.map_or(Ok(()), |task| self.insert(task, now)) {
            Ok(()) => {}
            Err(EnqueueError::Duplicate { holder }) => return FinishedSet::Duplicate { holder },
            Err(EnqueueError::IdConflict | EnqueueError::Broker(_)) => return FinishedSet::IdConflict,
        }
        let Some(queue) = self.queues.get_mut(name) else { return FinishedSet::Done };
        for FinishedMember { id, unique_key } in members {
            queue.leave_set(set, id);
            queue.tasks.remove(id);
            self.locks.release(unique_key, id.as_str());
        }
        queue.drop_empty_set(set);
        FinishedSet::Done
    }
}

#[async_trait]
impl Groups for MemoryBroker {
    async fn groups(&self, queue: &QueueName, _cursor: u64) -> Result<GroupPage, BrokerError> {
        // One page: nothing has to travel.
        let groups = self.shared().lock().queues.get(queue).map(Queue::group_states).unwrap_or_default();
        Ok(GroupPage { groups, next: 0 })
    }

    async fn stage_group(
        &self,
        queue: &QueueName,
        set: &SetName,
        rule: &GroupRule,
    ) -> Result<bool, BrokerError> {
        let now = self.now();
        let mut store = self.shared().lock();
        Ok(store.queues.get_mut(queue).is_some_and(|queue| queue.stage_group(set, rule, now)))
    }

    async fn read_set(&self, queue: &QueueName, set: &SetName) -> Result<Vec<Member>, BrokerError> {
        let store = self.shared().lock();
        Ok(store.queues.get(queue).map(|queue| queue.read_set(set)).unwrap_or_default())
    }

    async fn extend_set(&self, queue: &QueueName, set: &SetName, until: i64) -> Result<bool, BrokerError> {
        let mut store = self.shared().lock();
        Ok(store.queues.get_mut(queue).is_some_and(|queue| queue.extend_set(set, until)))
    }

    async fn finish_members(
        &self,
        queue: &QueueName,
        set: &SetName,
        members: &[FinishedMember],
        _are_all: bool,
        task: Option<&NewTask>,
    ) -> Result<FinishedSet, BrokerError> {
        let finished = self.shared().lock().finish_members(queue, set, members, task, self.now());
        let is_ready = task.is_some_and(|task| task.placement == Placement::Pending);
        self.wake(is_ready && finished == FinishedSet::Done);
        Ok(finished)
    }

    async fn archive_members(
        &self,
        queue: &QueueName,
        set: &SetName,
        members: &[RejectedMember],
    ) -> Result<bool, BrokerError> {
        let now = self.now();
        let mut store = self.shared().lock();
        Ok(store.queues.get_mut(queue).is_some_and(|queue| queue.archive_members(set, members, now)))
    }

    async fn reclaim_sets(&self, queue: &QueueName) -> Result<Reclaimed, BrokerError> {
        let now = self.now();
        let mut store = self.shared().lock();
        Ok(store.queues.get_mut(queue).map(|queue| queue.reclaim_sets(now)).unwrap_or_default())
    }

    async fn mend_groups(&self, queue: &QueueName, groups: &[String]) -> Result<usize, BrokerError> {
        let mut store = self.shared().lock();
        Ok(store.queues.get_mut(queue).map_or(0, |queue| queue.mend_groups(groups)))
    }
}
