//! [`Schedulers`]: what schedulers publish, and [`Ticks`]: what they enqueued last. [`Schedules`] in this process.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::broker::MemoryBroker;
use super::scored_set::ScoredSet;
use super::store::{Expiring, Moment, Store};
use crate::broker::{
    Broker, BrokerError, EnqueueError, HISTORY_LIMIT, NewTask, Placement, Schedules, TICK_AGE, Tick, Ticked,
};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry};

/// How many marks of entries that are long gone one tick clears away.
const PRUNE_LIMIT: usize = 10;

/// What schedulers publish.
#[derive(Debug, Default)]
pub(super) struct Schedulers {
    /// Keys of entries by expiry.
    pub(super) known: ScoredSet<Arc<str>>,
    /// The entries of each scheduler, by key, as Redis lists them: the last one first.
    pub(super) entries: HashMap<Arc<str>, Expiring<Vec<Bytes>>>,
    /// The history of each entry, by key: events by the second they happened in.
    pub(super) histories: HashMap<String, Expiring<BTreeSet<(i64, Bytes)>>>,
}

impl Schedulers {
    pub(super) fn drop_expired(&mut self, now: Moment) {
        self.entries.retain(|_, entries| entries.is_alive(now));
        self.histories.retain(|_, history| history.is_alive(now));
    }
}

/// The last tick of each entry that enqueues into a queue.
#[derive(Debug, Default)]
pub(super) struct Ticks(Option<Expiring<ScoredSet<Arc<str>>>>);

impl Ticks {
    /// The marks, unless all are forgotten.
    pub(super) fn marks(&self, now: Moment) -> Option<&Expiring<ScoredSet<Arc<str>>>> {
        self.0.as_ref().filter(|marks| marks.is_alive(now))
    }

    pub(super) fn last(&self, entry: &str, now: Moment) -> Option<i64> {
        self.marks(now)?.value.score(entry)
    }

    /// The marks, to be changed: they last from now on.
    fn marks_mut(&mut self, now: Moment) -> &mut ScoredSet<Arc<str>> {
        self.drop_expired(now);
        let expires_at = now.nanos_after(seconds(TICK_AGE));
        let marks = self.0.get_or_insert_with(|| Expiring { value: ScoredSet::default(), expires_at });
        marks.expires_at = expires_at;
        &mut marks.value
    }

    fn mark(&mut self, tick: &Tick, now: Moment) {
        let marks = self.marks_mut(now);
        marks.insert(Arc::from(tick.entry.as_str()), tick.at);
        for (gone, _) in marks.up_to(tick.at.saturating_sub(seconds(TICK_AGE)), PRUNE_LIMIT) {
            marks.remove(&gone);
        }
    }

    pub(super) fn drop_expired(&mut self, now: Moment) {
        self.0.take_if(|marks| !marks.is_alive(now));
    }
}

impl Store {
    fn enqueue_tick(&mut self, tick: &Tick, task: &NewTask, now: Moment) -> Result<Ticked, EnqueueError> {
        let name = QueueName::stored(&task.message.queue);
        let last = self.queues.get(&name).and_then(|queue| queue.ticks.last(&tick.entry, now));
        if last.is_some_and(|last| last >= tick.at) {
            return Ok(Ticked::Passed);
        }
        let stored = self.enqueue(task, now);
        self.queue_or_new(&name).ticks.mark(tick, now);
        stored.map(|()| Ticked::Enqueued)
    }
}

#[async_trait]
impl Schedules for MemoryBroker {
    async fn enqueue_tick(&self, tick: &Tick, task: &NewTask) -> Result<Ticked, EnqueueError> {
        #[cfg(test)]
        self.answer()?;
        let ticked = self.shared().lock().enqueue_tick(tick, task, self.now());
        self.wake(task.placement == Placement::Pending && matches!(ticked, Ok(Ticked::Enqueued)));
        ticked
    }

    async fn tick_mark(&self, queue: &QueueName, entry: &str, since: i64) -> Result<i64, BrokerError> {
        #[cfg(test)]
        self.answer()?;
        let now = self.now();
        let mut store = self.shared().lock();
        let marks = store.queue_or_new(queue).ticks.marks_mut(now);
        if marks.score(entry).is_none() {
            marks.insert(Arc::from(entry), since);
        }
        Ok(marks.score(entry).unwrap_or(since))
    }

    async fn write_scheduler_entries(
        &self,
        scheduler_id: &str,
        entries: &[SchedulerEntry],
        ttl: Duration,
    ) -> Result<(), BrokerError> {
        let now = self.now();
        let key: Arc<str> = Arc::from(self.keyspace().scheduler_entries(scheduler_id));
        let ttl = seconds(ttl);
        let schedulers = &mut self.shared().lock().schedulers;
        schedulers.known.insert(Arc::clone(&key), now.seconds.saturating_add(ttl));
        schedulers.entries.remove(&key);
        if !entries.is_empty() {
            let value = entries.iter().rev().map(|entry| Bytes::from(entry.encode())).collect();
            schedulers.entries.insert(key, Expiring { value, expires_at: now.nanos_after(ttl) });
        }
        Ok(())
    }

    async fn clear_scheduler_entries(&self, scheduler_id: &str) -> Result<(), BrokerError> {
        let key = self.keyspace().scheduler_entries(scheduler_id);
        let schedulers = &mut self.shared().lock().schedulers;
        schedulers.known.remove(&key);
        schedulers.entries.remove(key.as_str());
        Ok(())
    }

    async fn record_enqueue_event(
        &self,
        entry: &str,
        event: &SchedulerEnqueueEvent,
        keep: Duration,
    ) -> Result<(), BrokerError> {
        let now = self.now();
        let at = event.enqueue_time.as_ref().map_or(now.seconds, |at| at.seconds);
        let expires_at = now.nanos_after(seconds(keep));
        let key = self.keyspace().scheduler_history(entry);
        let mut store = self.shared().lock();
        store.schedulers.drop_expired(now);
        let history = store
            .schedulers
            .histories
            .entry(key)
            .or_insert_with(|| Expiring { value: BTreeSet::new(), expires_at });
        history.expires_at = expires_at;
        while history.value.len() >= HISTORY_LIMIT {
            history.value.pop_first();
        }
        let event = Bytes::from(event.encode());
        history.value.retain(|(_, other)| *other != event);
        history.value.insert((at, event));
        Ok(())
    }

    async fn clear_scheduler_history(&self, entry: &str) -> Result<(), BrokerError> {
        let key = self.keyspace().scheduler_history(entry);
        self.shared().lock().schedulers.histories.remove(&key);
        Ok(())
    }
}

/// A time to live as Redis counts it: whole seconds, none of which is no time at all.
fn seconds(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).max(1)
}
