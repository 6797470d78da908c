//! [`Waiting`]: which tasks of a queue somebody waits for. [`Waits`] in this process.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryBroker;
use super::queue::{Queue, whole_seconds};
use super::scored_set::ScoredSet;
use super::store::{Expiring, Moment};
use super::waiter::MemoryMessages;
use crate::broker::{Broker, BrokerError, BrokerErrorKind, DONE_AGE, Messages, WATCH, Waits, Watched};
use crate::task::{QueueName, TaskId, TaskState};

/// How many marks that have lapsed one call clears away.
const PRUNE_LIMIT: usize = 10;

/// Which tasks of a queue somebody waits for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// By the second until which the mark counts.
    marks: Option<Expiring<ScoredSet>>,
    /// Tasks that are gone, since they succeeded and were not to be kept.
    done: BTreeMap<TaskId, Expiring<()>>,
    /// Marked tasks of which a run has ended, to be published.
    ended: Vec<TaskId>,
}

impl Waiting {
    /// The marks, unless all have lapsed; for dumps.
    #[cfg(any(test, feature = "__conformance"))]
    pub(super) fn marks(&self, now: Moment) -> Option<&Expiring<ScoredSet>> {
        self.marks.as_ref().filter(|marks| marks.is_alive(now) && !marks.value.is_empty())
    }

    /// The tasks that are known to have succeeded.
    #[cfg(any(test, feature = "__conformance"))]
    pub(super) fn done(&self) -> impl Iterator<Item = (&TaskId, &Expiring<()>)> {
        self.done.iter()
    }

    fn mark(&mut self, id: &TaskId, now: Moment) {
        let lasts = whole_seconds(WATCH);
        self.marks.take_if(|marks| !marks.is_alive(now));
        let expires_at = now.nanos_after(lasts);
        let marks = self.marks.get_or_insert_with(|| Expiring { value: ScoredSet::default(), expires_at });
        marks.expires_at = expires_at;
        marks.value.insert(id.clone(), now.seconds.saturating_add(lasts));
        for (lapsed, _) in marks.value.up_to(now.seconds, PRUNE_LIMIT) {
            marks.value.remove(lapsed.as_str());
        }
        self.done.remove(id);
    }

    /// Notes that a run of a task has ended, if somebody waits for it.
    pub(super) fn end(&mut self, id: &TaskId, is_done: bool, now: Moment) {
        let Some(marks) = self.marks.as_mut().filter(|marks| marks.is_alive(now)) else { return };
        if marks.value.score(id.as_str()).is_none() {
            return;
        }
        marks.value.remove(id.as_str());
        if is_done {
            let expires_at = now.nanos_after(whole_seconds(DONE_AGE));
            self.done.insert(id.clone(), Expiring { value: (), expires_at });
        }
        self.ended.push(id.clone());
    }

    fn is_done(&self, id: &TaskId, now: Moment) -> bool {
        self.done.get(id).is_some_and(|done| done.is_alive(now))
    }

    pub(super) fn drop_expired(&mut self, now: Moment) {
        self.marks.take_if(|marks| !marks.is_alive(now));
        self.done.retain(|_, done| done.is_alive(now));
    }
}

impl Queue {
    /// Tasks of which a run has ended since this was asked, if somebody waits for them.
    pub(super) fn take_ended(&mut self) -> Vec<TaskId> {
        std::mem::take(&mut self.waiting.ended)
    }

    /// Marks a task, unless it has ended for good.
    fn watch(&mut self, id: &TaskId, now: Moment) {
        let is_over =
            |task: &super::task_hash::TaskHash| task.is(TaskState::Completed) || task.is(TaskState::Archived);
        if self.tasks.get(id).is_some_and(|task| !is_over(task)) {
            self.waiting.mark(id, now);
        }
    }
}

impl MemoryBroker {
    /// How many listen for ends of runs.
    #[cfg(test)]
    pub(crate) fn run_end_listeners(&self) -> usize {
        self.shared().run_ends.receiver_count()
    }

    /// Tells those who wait for these tasks of a queue.
    pub(super) fn publish_ends(&self, queue: &QueueName, ended: Vec<TaskId>) {
        if ended.is_empty() {
            return;
        }
        let keys = self.keyspace().queue(queue);
        for id in ended {
            // An error says that nobody listens any more.
            drop(self.shared().run_ends.send(keys.task(id.as_str())));
        }
    }
}

#[async_trait]
impl Waits for MemoryBroker {
    async fn watch(&self, queue: &QueueName, id: &TaskId) -> Result<Watched, BrokerError> {
        let now = self.now();
        let snapshot = {
            let mut store = self.shared().lock();
            let Some(stored) = store.queues.get_mut(queue) else { return Ok(Watched::Missing) };
            let Some(snapshot) = stored.snapshot(id) else {
                return Ok(if stored.waiting.is_done(id, now) { Watched::Done } else { Watched::Missing });
            };
            stored.watch(id, now);
            snapshot
        };
        match snapshot.into_info(queue, id, now.seconds) {
            Ok(info) => Ok(Watched::Stored(Box::new(info))),
            Err(error) => Err(BrokerError::new(BrokerErrorKind::Protocol, "watch a task", error)),
        }
    }

    async fn run_ends(&self) -> Result<Box<dyn Messages>, BrokerError> {
        Ok(Box::new(MemoryMessages::new(self.shared().run_ends.subscribe())))
    }
}
