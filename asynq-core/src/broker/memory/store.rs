//! [`Store`]: everything that the broker holds. Changed by one call at a time, so each call is atomic.
//!
//! Invariants: a collection that is empty does not exist for an observer; what has an expiry time is gone from
//! that moment on, whether or not it was cleared away yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::admission::Limiters;
use super::audit::Log;
use super::locks::{Locks, NewLock};
use super::queue::{LeaseGrant, LeasedTask, Passed, Queue};
use super::run_times::RunTimesTold;
use super::schedules::Schedulers;
use super::scored_set::ScoredSet;
use super::statistics::Increment;
use super::timetable::Table;
use crate::broker::{
    Adoption, ArchiveLimits, Demand, EnqueueError, Exchanged, Leased, NewTask, QueueDeletion, QueueShare,
    Settled, Settlement, StoredMessage,
};
use crate::clock::{Clock, floor_seconds};
use crate::task::{QueueName, TaskId};
use crate::wire::keys::Keyspace;
use crate::wire::{ServerInfo, TaskMessage, WorkerInfo};

/// One reading of the clock, so that all that one call writes agrees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) nanos: i64,
}

impl Moment {
    pub(super) fn now(clock: &Clock) -> Self {
        Self::at(clock.now())
    }

    pub(super) fn at(now: Timestamp) -> Self {
        Self { seconds: floor_seconds(now), nanos: i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX) }
    }

    /// The Unix nanosecond that is this many seconds later.
    pub(super) fn nanos_after(self, seconds: i64) -> i64 {
        self.nanos.saturating_add(seconds.saturating_mul(1_000_000_000))
    }
}

/// A value that goes away.
#[derive(Debug)]
pub(super) struct Expiring<T> {
    pub(super) value: T,
    /// Unix nanoseconds.
    pub(super) expires_at: i64,
}

impl<T> Expiring<T> {
    pub(super) fn is_alive(&self, now: Moment) -> bool {
        self.expires_at > now.nanos
    }
}

/// Everything that the broker holds.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// The names of all queues that a task was ever sent to.
    pub(super) known: BTreeSet<QueueName>,
    pub(super) queues: HashMap<QueueName, Queue>,
    pub(super) locks: Locks,
    /// Keys of `ServerInfo` by expiry.
    pub(super) servers: ScoredSet<Arc<str>>,
    /// Keys of workers by expiry.
    pub(super) workers: ScoredSet<Arc<str>>,
    pub(super) server_infos: HashMap<Arc<str>, Expiring<Bytes>>,
    pub(super) server_workers: HashMap<Arc<str>, Expiring<BTreeMap<String, Bytes>>>,
    pub(super) run_times: RunTimesTold,
    pub(super) schedulers: Schedulers,
    pub(super) limiters: Limiters,
    pub(super) log: Log,
    pub(super) timetable: Table,
}

impl Store {
    /// A queue that is about to get something.
    pub(super) fn queue_or_new(&mut self, name: &QueueName) -> &mut Queue {
        self.queues.entry(name.clone()).or_default()
    }

    /// Stores a new task and makes its queue known, or tells why not.
    pub(super) fn enqueue(&mut self, task: &NewTask, now: Moment) -> Result<(), EnqueueError> {
        // Every time: another process may have removed the queue since.
        self.known.insert(QueueName::stored(&task.message.queue));
        self.insert(task, now)
    }

    /// Stores a new task, or tells why not.
    pub(super) fn insert(&mut self, task: &NewTask, now: Moment) -> Result<(), EnqueueError> {
        let NewTask { message, placement, unique_ttl, unique_until } = task;
        let queue = self.queues.entry(QueueName::stored(&message.queue)).or_default();
        let lock = NewLock::of(message, *unique_ttl, *unique_until);
        may_store(queue, message, lock.as_ref(), &self.locks, now)?;
        if let Some(lock) = &lock {
            self.locks.take(lock, &message.id, now);
        }
        queue.add(message, *placement, lock.as_ref(), now);
        Ok(())
    }

    /// Stores a task in whatever state, or tells why not.
    pub(super) fn adopt(&mut self, task: &Adoption, now: Moment) -> Result<(), EnqueueError> {
        let Adoption { message, unique_ttl, unique_until, .. } = task;
        let name = QueueName::stored(&message.queue);
        let queue = self.queues.entry(name.clone()).or_default();
        let lock = NewLock::of(message, *unique_ttl, *unique_until);
        let id = TaskId::stored(&message.id);
        match may_store(queue, message, lock.as_ref(), &self.locks, now) {
            Err(EnqueueError::IdConflict) if task.replace && queue.make_way(&id, &mut self.locks) => {}
            // Its lock is that of the task which it replaces.
            Err(EnqueueError::Duplicate { holder })
                if task.replace
                    && holder == message.id
                    && queue.tasks.contains_key(&id)
                    && queue.make_way(&id, &mut self.locks) => {}
            may => may?,
        }
        self.known.insert(name);
        if let Some(lock) = &lock {
            self.locks.take(lock, &message.id, now);
        }
        queue.adopt(task, lock.as_ref(), now);
        Ok(())
    }

    /// Deletes a queue, unless it holds what must stay.
    pub(super) fn delete_queue(&mut self, name: &QueueName, force: bool, names: &Keyspace) -> QueueDeletion {
        if !self.known.contains(name) {
            return QueueDeletion::NotFound;
        }
        if let Some(queue) = self.queues.get(name) {
            let active = queue.active.len();
            let sets = [&queue.scheduled, &queue.retry, &queue.archived];
            // A group is in the set while it holds tasks: one is enough to refuse.
            let tasks = active
                + queue.pending.len()
                + queue.groups.len()
                + queue.sets.len()
                + sets.into_iter().map(ScoredSet::len).sum::<usize>();
            match force {
                true if active > 0 => return QueueDeletion::Busy(active),
                false if tasks > 0 => return QueueDeletion::NotEmpty(tasks),
                _ => {}
            }
        }
        self.queues.remove(name);
        self.known.remove(name);
        let keys = names.queue(name);
        // A name may contain `}:`, so the keys of another queue may begin as those of this one do.
        let others: Vec<_> = self.known.iter().map(|other| names.queue(other)).collect();
        self.locks.retain(|key| {
            !key.starts_with(keys.prefix()) || others.iter().any(|other| key.starts_with(other.prefix()))
        });
        QueueDeletion::Deleted
    }

    /// A queue and the locks of all.
    pub(super) fn queue_and_locks(&mut self, name: &QueueName) -> (Option<&mut Queue>, &mut Locks) {
        (self.queues.get_mut(name), &mut self.locks)
    }

    /// The servers whose state has not expired, with the tasks that they run.
    pub(super) fn living_servers(&self, now: Moment) -> Vec<(ServerInfo, Vec<WorkerInfo>)> {
        let living = |set: &ScoredSet<Arc<str>>| {
            set.iter().filter(|(_, until)| *until >= now.seconds).map(|(key, _)| Arc::clone(key)).collect()
        };
        let infos: Vec<Arc<str>> = living(&self.servers);
        let mut servers: Vec<(ServerInfo, Vec<WorkerInfo>)> = infos
            .iter()
            .filter_map(|key| self.server_infos.get(key).filter(|info| info.is_alive(now)))
            .filter_map(|info| Some((ServerInfo::decode(info.value.clone()).ok()?, Vec::new())))
            .collect();
        let workers: Vec<Arc<str>> = living(&self.workers);
        let workers = workers
            .iter()
            .filter_map(|key| self.server_workers.get(key).filter(|workers| workers.is_alive(now)))
            .flat_map(|workers| workers.value.values())
            .filter_map(|bytes| WorkerInfo::decode(bytes.clone()).ok());
        for worker in workers {
            if let Some((_, workers)) =
                servers.iter_mut().find(|(info, _)| info.server_id == worker.server_id)
            {
                workers.push(worker);
            }
        }
        for (_, workers) in &mut servers {
            workers.sort_by(|one, two| one.task_id.cmp(&two.task_id));
        }
        servers
    }

    /// Forgets the entries of servers that have expired: how many.
    pub(super) fn remove_stale(&mut self, now: Moment) -> usize {
        let mut removed = 0;
        for set in [&mut self.servers, &mut self.workers] {
            for (key, _) in set.up_to(now.seconds - 1, usize::MAX) {
                set.remove(&key);
                removed += 1;
            }
        }
        removed
    }

    /// Tasks of which these settlements have ended a run, if somebody waits for them; by queue.
    pub(super) fn take_ended<'a>(&mut self, settle: &'a [Settlement]) -> Vec<(&'a QueueName, Vec<TaskId>)> {
        let mut ended = Vec::new();
        for Settlement { queue, .. } in settle {
            let told = self.queues.get_mut(queue).map(Queue::take_ended).unwrap_or_default();
            if !told.is_empty() {
                ended.push((queue, told));
            }
        }
        ended
    }

    /// Settles in order, then leases.
    pub(super) fn exchange(
        &mut self,
        settle: &[Settlement],
        demand: &Demand,
        now: Moment,
        archive_limits: &ArchiveLimits,
    ) -> Exchanged {
        let is_crowded = settle
            .iter()
            .any(|one| self.queues.get(&one.queue).is_some_and(|queue| queue.is_crowded_for(&one.id)));
        let settled = self.settle(settle, now, archive_limits);
        let mut exchanged = Exchanged { settled, is_crowded, ..Exchanged::default() };
        if demand.slots > 0 {
            self.lease(demand, now, &mut exchanged);
        }
        exchanged
    }

    fn settle(&mut self, settle: &[Settlement], now: Moment, archive_limits: &ArchiveLimits) -> Vec<Settled> {
        let mut counted = HashMap::<&QueueName, Increment>::new();
        let settled = settle
            .iter()
            .map(|settlement| {
                let Some(queue) = self.queues.get_mut(&settlement.queue) else {
                    return Settled::Refused;
                };
                let count = counted.entry(&settlement.queue).or_default();
                queue.settle(settlement, &mut self.locks, now, archive_limits, count)
            })
            .collect();
        // Once for each counter and batch, as the script does.
        for (name, count) in counted {
            if let Some(queue) = self.queues.get_mut(name) {
                queue.statistics.add(count, now);
            }
        }
        settled
    }

    fn lease(&mut self, demand: &Demand, now: Moment, exchanged: &mut Exchanged) {
        let grant = LeaseGrant::new(&demand.server_id, now);
        let mut open = Vec::<Open<'_>>::new();
        let mut left_of_type: HashMap<&str, usize> =
            demand.types.iter().map(|limited| (&*limited.task_type, limited.slots)).collect();
        let mut fits = |message: &StoredMessage| match message {
            Ok(message) => left_of_type.get_mut(message.task_type.as_str()).is_none_or(|left| {
                let fits = *left > 0;
                *left = left.saturating_sub(1);
                fits
            }),
            Err(_) => true,
        };
        let mut passed = HashMap::<&QueueName, Passed>::new();
        for share in &demand.queues {
            match self.queues.get(&share.queue) {
                Some(queue) if queue.paused_since.is_some() => exchanged.paused.push(share.queue.clone()),
                Some(queue) if !queue.pending.is_empty() && share.slots > 0 => {
                    open.push(Open { share, slots: share.slots });
                }
                _ => {}
            }
        }
        while exchanged.leased.len() < demand.slots && !open.is_empty() {
            let place = if demand.strict { 0 } else { draw(&open) };
            let Some(Open { share, slots }) = open.get_mut(place) else { break };
            let passed = passed.entry(&share.queue).or_default();
            let taken = self
                .queues
                .get_mut(&share.queue)
                .and_then(|queue| queue.lease_next(&grant, &mut fits, passed));
            *slots -= usize::from(taken.is_some());
            let is_over = taken.is_none() || *slots == 0;
            if let Some(LeasedTask { id, message, pending_since }) = taken {
                exchanged.leased.push(Leased {
                    queue: share.queue.clone(),
                    id,
                    message,
                    run: grant.run.clone(),
                    lease_until: grant.until,
                    pending_since: pending_since.filter(|_| demand.pending_since),
                });
            }
            if is_over {
                open.remove(place);
            }
        }
        for share in demand.queues.iter().filter(|share| share.beat) {
            if exchanged.leased.iter().any(|leased| leased.queue == share.queue) {
                self.beat(&demand.server_id, &share.queue, now);
            }
        }
        for share in &demand.queues {
            let Some(Passed { dropped, over }) = passed.remove(&share.queue) else { continue };
            exchanged.dropped.extend(dropped.into_iter().map(|id| (share.queue.clone(), id)));
            if !over.is_empty() {
                exchanged.passed_over.push(share.queue.clone());
            }
            if let Some(queue) = self.queues.get_mut(&share.queue) {
                queue.put_back(over);
            }
        }
    }

    /// Notes that a server lives.
    pub(super) fn beat(&mut self, server_id: &str, queue: &QueueName, now: Moment) {
        self.queue_or_new(queue).owners.insert(Arc::from(server_id), now.seconds);
    }

    /// Replaces a server's state.
    pub(super) fn write_server(
        &mut self,
        keys: ServerKeys,
        info: &ServerInfo,
        workers: &[WorkerInfo],
        ttl_seconds: i64,
        now: Moment,
    ) {
        let score = now.seconds.saturating_add(ttl_seconds);
        let expires_at = now.nanos_after(ttl_seconds);
        self.servers.insert(Arc::clone(&keys.info), score);
        self.workers.insert(Arc::clone(&keys.workers), score);
        self.server_infos.insert(keys.info, Expiring { value: Bytes::from(info.encode()), expires_at });
        self.server_workers.remove(&keys.workers);
        if !workers.is_empty() {
            let value =
                workers.iter().map(|worker| (worker.task_id.clone(), Bytes::from(worker.encode()))).collect();
            self.server_workers.insert(keys.workers, Expiring { value, expires_at });
        }
    }

    /// Removes a server's state.
    pub(super) fn clear_server(&mut self, keys: &ServerKeys) {
        self.servers.remove(&keys.info);
        self.workers.remove(&keys.workers);
        self.server_infos.remove(&keys.info);
        self.server_workers.remove(&keys.workers);
    }

    /// Clears away what has expired, so that it does not pile up. Nobody can tell the difference.
    pub(super) fn drop_expired(&mut self, now: Moment) {
        self.locks.drop_expired(now);
        self.server_infos.retain(|_, info| info.is_alive(now));
        self.server_workers.retain(|_, workers| workers.is_alive(now));
        self.run_times.drop_expired(now);
        self.schedulers.drop_expired(now);
        self.limiters.drop_expired(now);
        for queue in self.queues.values_mut() {
            queue.statistics.drop_expired(now.seconds);
            queue.ticks.drop_expired(now);
            queue.waiting.drop_expired(now);
        }
    }

    /// Whether one of these queues has something in its pending list.
    pub(super) fn has_pending<'a>(&self, mut names: impl Iterator<Item = &'a QueueName>) -> bool {
        names.any(|name| self.queues.get(name).is_some_and(|queue| !queue.pending.is_empty()))
    }
}

/// Whether a task may be stored. All checks come before the first change. The lock is looked at first, as in Go: to
/// send the same unique task again is a duplicate, also under the same ID.
fn may_store(
    queue: &Queue,
    message: &TaskMessage,
    lock: Option<&NewLock<'_>>,
    locks: &Locks,
    now: Moment,
) -> Result<(), EnqueueError> {
    if let Some(holder) = lock.and_then(|lock| locks.holder(lock, queue, now)) {
        return Err(EnqueueError::Duplicate { holder: holder.to_owned() });
    }
    if queue.tasks.contains_key(message.id.as_str()) {
        return Err(EnqueueError::IdConflict);
    }
    Ok(())
}

/// Under which keys a server publishes its state.
#[derive(Debug)]
pub(super) struct ServerKeys {
    info: Arc<str>,
    workers: Arc<str>,
}

impl ServerKeys {
    pub(super) fn new(keyspace: &Keyspace, info: &ServerInfo) -> Self {
        let ServerInfo { host, pid, server_id, .. } = info;
        Self {
            info: Arc::from(keyspace.server_info(host, *pid, server_id)),
            workers: Arc::from(keyspace.server_workers(host, *pid, server_id)),
        }
    }
}

/// A queue that may have more to take.
struct Open<'a> {
    share: &'a QueueShare,
    /// How many tasks may still be taken from it.
    slots: usize,
}

/// Draws a place among the queues, by weight.
fn draw(open: &[Open<'_>]) -> usize {
    let weight = |open: &Open<'_>| u64::from(open.share.weight.max(1));
    let total = open.iter().map(weight).sum::<u64>();
    let mut point = fastrand::u64(..total.max(1));
    for (place, open) in open.iter().enumerate() {
        match point.checked_sub(weight(open)) {
            Some(rest) => point = rest,
            None => return place,
        }
    }
    0
}
