//! Enqueuing the task of a scheduler's tick.

use super::Client;
use super::client::outcome;
use super::plan::Plan;
use crate::broker::{Tick, Ticked};
use crate::error::Result;
use crate::task::{Task, TaskInfo};

impl Client {
    /// Enqueues the task of a tick, unless its entry has had this tick or a later one: then `None`.
    pub(crate) async fn enqueue_tick(&self, task: Task, tick: &Tick) -> Result<Option<TaskInfo>> {
        let Plan { new, info, span } = self.plan(task)?;
        match self.broker().enqueue_tick(tick, &new).await {
            Ok(Ticked::Enqueued) => Ok(Some(info)),
            Ok(Ticked::Passed) => {
                span.record("passed", true);
                Ok(None)
            }
            Err(refused) => self.traced(&span, outcome(info, Some(Err(refused)))).map(Some),
        }
    }
}
