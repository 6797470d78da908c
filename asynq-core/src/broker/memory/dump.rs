//! What tests see of a [`MemoryBroker`]'s store, and how they break it.

use bytes::Bytes;

use super::broker::MemoryBroker;
use super::queue::Queue;
use super::scored_set::ScoredSet;
use super::store::{Expiring, Moment, Store};
use crate::broker::Broker;
use crate::broker::conformance::{Corruption, Dump, Value};
use crate::clock::from_unix_seconds;
use crate::task::TaskId;
use crate::wire::keys::{Keyspace, QueueKeys};

impl MemoryBroker {
    /// The store as Redis would hold it.
    pub(crate) fn dump(&self) -> Dump {
        let now = self.now();
        let mut store = self.shared().lock();
        store.drop_expired(now);
        let mut dump = Dump::default();
        put_globals(&mut dump, self.keyspace(), &store, now);
        for (name, queue) in &store.queues {
            put_queue(&mut dump, &self.keyspace().queue(name), queue, now);
        }
        dump
    }

    /// Breaks the store.
    pub(crate) fn corrupt(&self, corruption: Corruption) {
        let mut store = self.shared().lock();
        match corruption {
            Corruption::PushPending { queue, id } => store.queue_or_new(&queue).pending.push_back(id),
            Corruption::PushActive { queue, id } => store.queue_or_new(&queue).active.push_front(id),
            Corruption::SetLease { queue, id, until } => store.queue_or_new(&queue).lease.insert(id, until),
            Corruption::RemoveLease { queue, id } => store.queue_or_new(&queue).lease.remove(id.as_str()),
            Corruption::AddArchived { queue, id, at } => store.queue_or_new(&queue).archived.insert(id, at),
            Corruption::DeleteTask { queue, id } => {
                store.queue_or_new(&queue).tasks.remove(&id);
            }
            Corruption::SetField { queue, id, field, value } => {
                store.queue_or_new(&queue).tasks.entry(id).or_default().set(field, value);
            }
            Corruption::RemoveField { queue, id, field } => {
                let tasks = &mut store.queue_or_new(&queue).tasks;
                if let Some(task) = tasks.get_mut(&id) {
                    task.unset(&field);
                    // As Redis does with the last field of a hash.
                    tasks.retain(|_, task| task.iter().next().is_some());
                }
            }
            Corruption::SetProcessedTotal { queue, value } => {
                store.queue_or_new(&queue).statistics.processed = Some(value);
            }
            Corruption::SetFailedTotal { queue, value } => {
                store.queue_or_new(&queue).statistics.failed = Some(value);
            }
            Corruption::ForgetGroup { queue, group } => {
                store.queue_or_new(&queue).groups.remove(&group);
            }
            Corruption::ForgetQueue { queue } => {
                store.known.remove(&queue);
            }
        }
        drop(store);
        // A blocked reader of Redis would see it as well.
        self.shared().ready.notify_waiters();
    }
}

fn put_globals(dump: &mut Dump, keyspace: &Keyspace, store: &Store, now: Moment) {
    put_set(dump, keyspace.queues(), store.known.iter().map(|name| bytes(name.as_str())));
    put_scored(dump, keyspace.servers(), &store.servers, |key| bytes(key));
    put_scored(dump, keyspace.workers(), &store.workers, |key| bytes(key));
    for (key, lock) in store.locks.iter() {
        dump.insert(key, Value::String(bytes(&lock.value)), Some(expiry(lock, now)));
    }
    for (key, info) in &store.server_infos {
        dump.insert(&**key, Value::String(info.value.clone()), Some(expiry(info, now)));
    }
    for (key, workers) in &store.server_workers {
        dump.insert(&**key, Value::Hash(workers.value.clone()), Some(expiry(workers, now)));
    }
    if let Some(known) = &store.run_times.known {
        let members = known.value.iter().map(|(key, until)| (bytes(key), until)).collect();
        dump.insert(keyspace.run_times(), Value::ZSet(members), Some(expiry(known, now)));
    }
    for (key, times) in &store.run_times.told {
        dump.insert(&**key, Value::String(times.value.clone()), Some(expiry(times, now)));
    }
    put_scored(dump, keyspace.schedulers(), &store.schedulers.known, |key| bytes(key));
    for (key, entries) in &store.schedulers.entries {
        dump.insert(&**key, Value::List(entries.value.clone()), Some(expiry(entries, now)));
    }
    if !store.timetable.rows.is_empty() {
        dump.insert(keyspace.timetable(), Value::Hash(store.timetable.rows.clone()), None);
    }
    let changes = i64::try_from(store.timetable.changes).ok().filter(|changes| *changes > 0);
    put_number(dump, keyspace.timetable_changes(), changes, None);
    for (key, held) in &store.limiters.semaphores {
        put_scored(dump, key.clone(), held, |id| bytes(id));
    }
    for (key, set) in store.limiters.ran.iter().chain(&store.limiters.lines) {
        let members = set.value.iter().map(|(member, at)| (bytes(member), at)).collect();
        dump.insert(key.as_str(), Value::ZSet(members), Some(expiry(set, now)));
    }
    for (key, history) in &store.schedulers.histories {
        let events = history.value.iter().map(|(at, event)| (event.clone(), *at)).collect();
        dump.insert(key.as_str(), Value::ZSet(events), Some(expiry(history, now)));
    }
}

fn put_queue(dump: &mut Dump, keys: &QueueKeys, queue: &Queue, now: Moment) {
    put_list(dump, keys.pending(), queue.pending.iter().map(id_bytes));
    put_list(dump, keys.active(), queue.active.iter().map(id_bytes));
    put_scored(dump, keys.lease(), &queue.lease, id_bytes);
    put_scored(dump, keys.scheduled(), &queue.scheduled, id_bytes);
    put_scored(dump, keys.retry(), &queue.retry, id_bytes);
    put_scored(dump, keys.archived(), &queue.archived, id_bytes);
    put_scored(dump, keys.completed(), &queue.completed, id_bytes);
    put_set(dump, keys.groups(), queue.groups.iter().map(|group| bytes(group)));
    for (group, members) in &queue.group_members {
        put_scored(dump, keys.group(group), members, id_bytes);
    }
    let group_prefix = keys.group_prefix();
    put_scored(dump, keys.aggregation_sets(), &queue.sets, |set| bytes(&format!("{group_prefix}{set}")));
    for (set, members) in &queue.set_members {
        put_scored(dump, format!("{group_prefix}{set}"), members, id_bytes);
    }
    for (id, task) in &queue.tasks {
        let fields = task.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        dump.insert(keys.task(id.as_str()), Value::Hash(fields), None);
    }
    put_scored(dump, keys.owners(), &queue.owners, |server_id| bytes(server_id));
    if let Some(marks) = queue.ticks.marks(now) {
        let members = marks.value.iter().map(|(entry, at)| (bytes(entry), at)).collect();
        dump.insert(keys.ticks(), Value::ZSet(members), Some(expiry(marks, now)));
    }
    if let Some(marks) = queue.waiting.marks(now) {
        let members = marks.value.iter().map(|(id, until)| (id_bytes(id), until)).collect();
        dump.insert(keys.waits(), Value::ZSet(members), Some(expiry(marks, now)));
    }
    for (id, done) in queue.waiting.done() {
        dump.insert(keys.done(id.as_str()), Value::String(Bytes::new()), Some(expiry(done, now)));
    }
    put_number(dump, keys.paused(), queue.paused_since, None);
    put_number(dump, keys.processed_total(), queue.statistics.processed, None);
    put_number(dump, keys.failed_total(), queue.statistics.failed, None);
    put_number(dump, keys.trimmed(), queue.statistics.trimmed, None);
    for (began, day) in queue.statistics.days() {
        let at = from_unix_seconds(began);
        for (key, daily) in [(keys.processed(at), day.processed), (keys.failed(at), day.failed)] {
            put_number(dump, key, daily.map(|daily| daily.value), daily.map(|daily| daily.expires_at));
        }
    }
}

fn put_number(dump: &mut Dump, key: String, number: Option<i64>, expires_at: Option<i64>) {
    if let Some(number) = number {
        dump.insert(key, Value::String(Bytes::from(number.to_string())), expires_at);
    }
}

fn put_list(dump: &mut Dump, key: String, items: impl Iterator<Item = Bytes>) {
    let items = items.collect::<Vec<_>>();
    if !items.is_empty() {
        dump.insert(key, Value::List(items), None);
    }
}

fn put_set(dump: &mut Dump, key: String, members: impl Iterator<Item = Bytes>) {
    let members = members.collect::<std::collections::BTreeSet<_>>();
    if !members.is_empty() {
        dump.insert(key, Value::Set(members), None);
    }
}

fn put_scored<M>(dump: &mut Dump, key: String, set: &ScoredSet<M>, bytes_of: impl Fn(&M) -> Bytes)
where
    M: std::borrow::Borrow<str> + Clone + std::hash::Hash + Ord,
{
    let members = set.iter().map(|(member, score)| (bytes_of(member), score)).collect::<Vec<_>>();
    if !members.is_empty() {
        dump.insert(key, Value::ZSet(members), None);
    }
}

/// In whole seconds, as a time to live that is rounded up.
fn expiry<T>(expiring: &Expiring<T>, now: Moment) -> i64 {
    let left = expiring.expires_at.saturating_sub(now.nanos);
    now.seconds.saturating_add(left.div_euclid(1_000_000_000) + i64::from(left.rem_euclid(1_000_000_000) > 0))
}

fn id_bytes(id: &TaskId) -> Bytes {
    bytes(id.as_str())
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
