//! What a client makes of jobs before it asks its broker: for the benches that count instructions.

use super::Client;
use super::plan::Plan;
use crate::broker::NewTask;
use crate::error::Result;
use crate::job::IntoTask;
use crate::task::RandomIds;

impl Client {
    /// What [`enqueue`](Self::enqueue) hands to the broker.
    #[doc(hidden)]
    pub fn new_task<T: IntoTask>(&self, task: T) -> Result<NewTask> {
        let Plan { new, .. } = self.plan(task, self.broker().clock().now(), &mut RandomIds::default())?;
        Ok(new)
    }

    /// What [`enqueue_all`](Self::enqueue_all) hands to the broker in one call.
    #[doc(hidden)]
    pub fn new_tasks<T: IntoTask>(&self, tasks: impl IntoIterator<Item = T>) -> Vec<NewTask> {
        self.chunk(tasks.into_iter(), self.broker().clock().now()).news
    }
}
