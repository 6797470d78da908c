//! Looking at what stands in memory as it is, and putting it right: the steps of `standing.lua` and `put_right.lua`.
//!
//! Its keys are of the right kind and go away when they should: nobody but this code has ever written them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryBroker;
use super::locks::Locks;
use super::queue::{Queue, set_pending};
use super::scored_set::ScoredSet;
use super::store::Moment;
use super::task_hash::field;
use crate::broker::lock::read_lock;
use crate::broker::{
    Broker, BrokerError, Care, Collection, Glimpse, GroupStanding, KeyCursor, KeyKind, KeyPage, LockStanding,
    Spot, Standing,
};
use crate::task::{QueueName, TaskId};

#[async_trait]
impl Care for MemoryBroker {
    async fn keys(&self, queue: Option<&QueueName>, _from: &KeyCursor) -> Result<KeyPage, BrokerError> {
        let now = self.now();
        let store = self.shared().lock();
        let mut keys = Vec::new();
        for (name, held) in &store.queues {
            let names = self.keyspace().queue(name);
            if queue.is_some_and(|queue| queue != name) {
                continue;
            }
            keys.extend(held.tasks.keys().map(|id| names.task(id.as_str())));
            keys.extend(held.group_members.keys().map(|group| names.group(group)));
            keys.extend(held.set_members.keys().map(|set| names.group(set)));
            keys.extend(
                store.locks.keys(now).filter(|key| key.starts_with(names.prefix())).map(str::to_owned),
            );
        }
        Ok(KeyPage { keys, next: None })
    }

    async fn key_kinds(&self, keys: &[String]) -> Result<Vec<KeyKind>, BrokerError> {
        let now = self.now();
        let store = self.shared().lock();
        let locks: HashSet<&str> = store.locks.keys(now).collect();
        let prefixes: Vec<String> =
            store.queues.keys().map(|name| self.keyspace().queue(name).prefix().to_owned()).collect();
        let kind = |key: &String| {
            let name = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix.as_str()));
            match name {
                _ if locks.contains(key.as_str()) => "string",
                Some(name) if name.starts_with("t:") => "hash",
                Some("groups") => "set",
                Some("pending" | "active") => "list",
                Some(_) => "zset",
                None => "none",
            }
        };
        Ok(keys.iter().map(|key| KeyKind { kind: kind(key).to_owned(), expires_in: None }).collect())
    }

    async fn members(
        &self,
        queue: &QueueName,
        place: &Spot,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<TaskId>, BrokerError> {
        let store = self.shared().lock();
        let Some(queue) = store.queues.get(queue) else { return Ok(Vec::new()) };
        let list = match place {
            Spot::In(Collection::Pending) => Some(&queue.pending),
            Spot::In(Collection::Active) => Some(&queue.active),
            _ => None,
        };
        Ok(match list {
            Some(list) => list.iter().skip(offset).take(limit).cloned().collect(),
            None => queue
                .scored(place)
                .into_iter()
                .flat_map(|set| set.iter().skip(offset).take(limit))
                .map(|(id, _)| id.clone())
                .collect(),
        })
    }

    async fn standings(
        &self,
        queue: &QueueName,
        ids: &[Glimpse],
        search: bool,
    ) -> Result<Vec<Standing>, BrokerError> {
        let store = self.shared().lock();
        let empty = Queue::default();
        let queue = store.queues.get(queue).unwrap_or(&empty);
        Ok(ids.iter().map(|glimpse| queue.standing(glimpse, search)).collect())
    }

    async fn put_right(
        &self,
        queue: &QueueName,
        seen: &Standing,
        to: Option<&(Spot, i64)>,
    ) -> Result<bool, BrokerError> {
        let now = self.now();
        let done = {
            let mut store = self.shared().lock();
            let (queue, locks) = store.queue_and_locks(queue);
            queue.unwrap_or(&mut Queue::default()).put_right(seen, to, locks, now)
        };
        self.wake(done);
        Ok(done)
    }

    async fn group_standings(
        &self,
        queue: &QueueName,
        groups: &[String],
    ) -> Result<Vec<GroupStanding>, BrokerError> {
        let store = self.shared().lock();
        let empty = Queue::default();
        let queue = store.queues.get(queue).unwrap_or(&empty);
        Ok(groups.iter().map(|name| queue.group_standing(name)).collect())
    }

    async fn forget_group(&self, queue: &QueueName, group: &str) -> Result<bool, BrokerError> {
        let mut store = self.shared().lock();
        let Some(queue) = store.queues.get_mut(queue) else { return Ok(false) };
        Ok(queue.group_members.get(group).is_none_or(ScoredSet::is_empty) && queue.groups.remove(group))
    }

    async fn expire_set(&self, queue: &QueueName, name: &str) -> Result<bool, BrokerError> {
        let mut store = self.shared().lock();
        let Some(queue) = store.queues.get_mut(queue) else { return Ok(false) };
        let Some((set, _)) = queue.set_members.get_key_value(name) else { return Ok(false) };
        let is_unknown = queue.sets.score(name).is_none();
        if is_unknown {
            queue.sets.insert(Arc::clone(set), 0);
        }
        Ok(is_unknown)
    }

    async fn lock_standings(
        &self,
        queue: &QueueName,
        keys: &[String],
    ) -> Result<Vec<Option<LockStanding>>, BrokerError> {
        let now = self.now();
        let store = self.shared().lock();
        let queue = store.queues.get(queue);
        Ok(keys.iter().map(|key| lock_standing(&store.locks, queue, key, now)).collect())
    }

    async fn release_lock(&self, queue: &QueueName, seen: &LockStanding) -> Result<bool, BrokerError> {
        let now = self.now();
        let mut store = self.shared().lock();
        let is_as_seen = lock_standing(&store.locks, store.queues.get(queue), &seen.key, now)
            .is_some_and(|lock| lock.value == seen.value && lock.state == seen.state);
        if is_as_seen {
            store.locks.release(&seen.key, &seen.value);
        }
        Ok(is_as_seen)
    }

    async fn make_known(&self, queue: &QueueName) -> Result<bool, BrokerError> {
        Ok(self.shared().lock().known.insert(queue.clone()))
    }

    async fn expire_key(&self, _key: &str, _after: Duration) -> Result<bool, BrokerError> {
        Ok(false)
    }

    async fn put_aside(&self, _key: &str, _kind: &str) -> Result<Option<String>, BrokerError> {
        Ok(None)
    }

    async fn dead_processes(&self) -> Result<Vec<String>, BrokerError> {
        let now = self.now();
        let store = self.shared().lock();
        let dead = |set: &ScoredSet<Arc<str>>| -> Vec<String> {
            set.up_to(now.seconds - 1, usize::MAX).into_iter().map(|(key, _)| key.to_string()).collect()
        };
        Ok([dead(&store.servers), dead(&store.workers), dead(&store.schedulers.known)].concat())
    }
}

impl Queue {
    /// A place that is no list.
    fn scored(&self, place: &Spot) -> Option<&ScoredSet> {
        match place {
            Spot::In(collection) => self.sorted(collection),
            Spot::Staged(name) => self.set_members.get(name.as_str()),
            Spot::Lease => Some(&self.lease),
        }
    }

    fn scored_mut(&mut self, place: &Spot) -> Option<&mut ScoredSet> {
        match place {
            Spot::In(Collection::Pending | Collection::Active) => None,
            Spot::In(Collection::Scheduled) => Some(&mut self.scheduled),
            Spot::In(Collection::Retry) => Some(&mut self.retry),
            Spot::In(Collection::Archived) => Some(&mut self.archived),
            Spot::In(Collection::Completed) => Some(&mut self.completed),
            Spot::In(Collection::Group(name)) => self.group_members.get_mut(name),
            Spot::Staged(name) => self.set_members.get_mut(name.as_str()),
            Spot::Lease => Some(&mut self.lease),
        }
    }

    fn standing(&self, glimpse: &Glimpse, search: bool) -> Standing {
        let Glimpse { id, at, .. } = glimpse;
        let hash = self.tasks.get(id);
        let text = |name| hash.and_then(|hash| hash.text(name)).unwrap_or_default().into_owned();
        let (state, group) = (text(field::STATE), text(field::GROUP));
        let mut spots = Vec::new();
        if self.active.contains(id) {
            spots.push((Spot::In(Collection::Active), 0));
        }
        let places = [Collection::Scheduled, Collection::Retry, Collection::Archived, Collection::Completed];
        let mut places: Vec<Spot> = places.into_iter().map(Spot::In).collect();
        if !group.is_empty() {
            places.push(Spot::In(Collection::Group(group.clone())));
            let of_group = format!("{group}:");
            let sets = self.sets.iter().filter(|(set, _)| set.starts_with(&of_group));
            places.extend(sets.map(|(set, _)| Spot::Staged(set.to_string())));
        }
        places.extend(
            at.iter()
                .filter(|at| **at != Spot::Lease)
                .filter(|at| !places.contains(at))
                .cloned()
                .collect::<Vec<_>>(),
        );
        for place in places {
            if let Some(score) = self.scored(&place).and_then(|set| set.score(id.as_str())) {
                spots.push((place, score));
            }
        }
        let own = [field::OWNER, field::RUN, field::GROUP_LATER].into_iter();
        let own = own.filter_map(|name| Some((name.to_owned(), hash?.get(name)?.clone())));
        let mut standing = Standing {
            id: id.clone(),
            kind: if hash.is_some() { "hash" } else { "none" }.to_owned(),
            message: hash.and_then(|hash| hash.message().cloned()),
            state,
            group,
            lease: self.lease.score(id.as_str()),
            pending: search.then(|| self.pending.iter().filter(|other| *other == id).count()),
            spots,
            own: own.collect(),
            since: hash.and_then(|hash| hash.get(field::PENDING_SINCE)).cloned().unwrap_or_default(),
            glimpse: glimpse.clone(),
            version: Bytes::new(),
        };
        standing.version = Bytes::from(format!("{standing:?}"));
        standing
    }

    fn put_right(
        &mut self,
        seen: &Standing,
        to: Option<&(Spot, i64)>,
        locks: &mut Locks,
        now: Moment,
    ) -> bool {
        let id = &seen.id;
        let standing = self.standing(&seen.glimpse, true);
        if standing.version != seen.version || (to.is_some() && !self.tasks.contains_key(id)) {
            return false;
        }
        let goes_to = |spot: &Spot| to.is_some_and(|(to, _)| to == spot);
        for (spot, _) in standing.spots.iter().filter(|(spot, _)| !goes_to(spot)) {
            match spot {
                Spot::In(Collection::Active) => self.active.retain(|other| other != id),
                spot => {
                    if let Some(set) = self.scored_mut(spot) {
                        set.remove(id.as_str());
                    }
                }
            }
        }
        self.drop_empty_groups();
        let times = standing.pending.unwrap_or(0);
        let goes_to_pending = goes_to(&Spot::In(Collection::Pending));
        // The one that is next to run stays.
        for _ in usize::from(goes_to_pending)..times {
            if let Some(place) = self.pending.iter().position(|other| other == id) {
                self.pending.remove(place);
            }
        }
        if !goes_to(&Spot::In(Collection::Active)) {
            self.lease.remove(id.as_str());
        }
        let Some((spot, score)) = to else {
            if let Some(task) = self.tasks.remove(id) {
                locks.release(&task.text(field::UNIQUE_KEY).unwrap_or_default(), id.as_str());
            }
            return true;
        };
        match spot {
            Spot::In(Collection::Pending) if times == 0 => self.pending.push_back(id.clone()),
            Spot::In(Collection::Active) if self.lease.score(id.as_str()).is_none() => {
                self.lease.insert(id.clone(), *score);
            }
            Spot::In(Collection::Group(group)) => {
                self.groups.insert(group.clone());
                self.group_members.entry(group.clone()).or_default().insert(id.clone(), *score);
            }
            spot => {
                if let Some(set) = self.scored_mut(spot) {
                    set.insert(id.clone(), *score);
                }
            }
        }
        if let (Some(task), Some(state)) = (self.tasks.get_mut(id), spot.state()) {
            if goes_to_pending && times == 0 {
                set_pending(task, now);
            }
            if let Spot::In(Collection::Group(group)) = spot {
                task.set(field::GROUP, group.clone());
            }
            task.set_state(state);
            if !matches!(spot, Spot::In(Collection::Active)) {
                task.unset_run();
            }
            if !matches!(spot, Spot::In(Collection::Pending | Collection::Archived)) {
                task.unset(field::PENDING_SINCE);
            }
            if !matches!(spot, Spot::In(Collection::Scheduled | Collection::Archived)) {
                task.unset(field::GROUP_LATER);
            }
        }
        true
    }

    fn drop_empty_groups(&mut self) {
        let emptied: Vec<String> = self
            .group_members
            .iter()
            .filter(|(_, members)| members.is_empty())
            .map(|(group, _)| group.clone())
            .collect();
        for group in emptied {
            self.group_members.remove(&group);
            self.groups.remove(&group);
        }
        self.set_members.retain(|_, members| !members.is_empty());
    }

    fn group_standing(&self, name: &str) -> GroupStanding {
        let members = self.group_members.get(name).or_else(|| self.set_members.get(name));
        let first = members.and_then(|members| members.first()).map(|(id, _)| id);
        let group = first.and_then(|id| self.tasks.get(id)).and_then(|task| task.text(field::GROUP));
        GroupStanding {
            name: name.to_owned(),
            is_listed: self.groups.contains(name),
            is_set: self.sets.score(name).is_some(),
            size: members.map_or(0, ScoredSet::len),
            group_of_first: group.unwrap_or_default().into_owned(),
        }
    }
}

pub(super) fn lock_standing(
    locks: &Locks,
    queue: Option<&Queue>,
    key: &str,
    now: Moment,
) -> Option<LockStanding> {
    let (value, left) = locks.value(key, now)?;
    let task =
        queue.and_then(|queue| queue.tasks.get(read_lock(value).0)).filter(|task| task.message().is_some());
    let state = task.map(|task| task.text(field::STATE).unwrap_or_default().into_owned());
    let left = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
    Some(LockStanding::read(key.to_owned(), value.to_owned(), left, state))
}
