//! What the testing kit sees of a [`MemoryBroker`]'s store, without waiting for anything.

use super::broker::MemoryBroker;
use super::queue::Queue;
use super::scored_set::ScoredSet;
use super::task_hash::{TaskHash, field};
use crate::task::{QueueName, TaskId, TaskInfo, TaskState};
use crate::wire::TaskMessage;

impl MemoryBroker {
    /// Every queue that a task was ever sent to, by name.
    pub(crate) fn queue_names(&self) -> Vec<QueueName> {
        self.shared().lock().known.iter().cloned().collect()
    }

    /// Every task that can be read, queue by queue, each in the order in which it will be run.
    pub(crate) fn tasks(&self) -> Vec<TaskInfo> {
        let now = self.now().seconds;
        let store = self.shared().lock();
        let mut tasks = Vec::new();
        for name in &store.known {
            let Some(queue) = store.queues.get(name) else { continue };
            tasks.extend(queue.ids().into_iter().filter_map(|id| {
                let snapshot = queue.snapshot(&id)?;
                snapshot.into_info(name, &id, now).ok()
            }));
        }
        tasks
    }

    /// Stores a task that is in no collection, as if it were active for good: it can be given a result, and nobody takes
    /// or recovers it.
    pub(crate) fn hold(&self, message: &TaskMessage) {
        let mut task = TaskHash::default();
        task.set(field::MSG, message.encode());
        task.set_state(TaskState::Active);
        let queue = QueueName::stored(&message.queue);
        self.shared().lock().queue_or_new(&queue).tasks.insert(TaskId::stored(&message.id), task);
    }
}

impl Queue {
    /// The IDs of all collections: active, pending, due later, grouped, ended.
    fn ids(&self) -> Vec<TaskId> {
        let lists = self.active.iter().rev().chain(self.pending.iter().rev()).cloned();
        let groups = self.group_members.values();
        let sets = [&self.scheduled, &self.retry].into_iter().chain(groups);
        let scored = sets.chain([&self.completed, &self.archived]).flat_map(ScoredSet::iter);
        lists.chain(scored.map(|(id, _)| id.clone())).collect()
    }
}
