//! What a client makes of jobs before it asks its broker: for the benches that count instructions.

use super::Client;
use crate::broker::NewTask;
use crate::error::Result;
use crate::job::IntoTask;

impl Client {
    /// What [`enqueue`](Self::enqueue) hands to the broker.
    #[doc(hidden)]
    pub fn new_task<T: IntoTask>(&self, task: T) -> Result<NewTask> {
        Ok(self.plan(task)?.new)
    }

    /// What [`enqueue_all`](Self::enqueue_all) hands to the broker in one call.
    #[doc(hidden)]
    pub fn new_tasks<T: IntoTask>(&self, tasks: impl IntoIterator<Item = T>) -> Vec<NewTask> {
        self.chunk(tasks.into_iter(), self.broker().clock().now()).news
    }
}
