//! `server.start` with `aggregate`: an aggregator that makes the task which that of gopeer makes.

use std::time::Duration;

use asynq_core::job::GroupSettings;
use asynq_core::router::BoxError;
use asynq_core::server::ServerBuilder;
use asynq_core::task::Task;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Bags, with_options};
use crate::encoding::base64;
use crate::vectors::inputs::NotUtf8;

/// What a case says of aggregation.
#[derive(Clone, Deserialize)]
#[serde(default)]
pub(super) struct Aggregation {
    aggregate: bool,
    aggregate_type: String,
    aggregate_opts: Option<Bags>,
    group_grace_ms: Option<u64>,
    group_max_delay_ms: Option<u64>,
    group_max_size: Option<usize>,
}

impl Default for Aggregation {
    fn default() -> Self {
        Self {
            aggregate: false,
            aggregate_type: "gopeer:aggregated".to_owned(),
            aggregate_opts: None,
            group_grace_ms: None,
            group_max_delay_ms: None,
            group_max_size: None,
        }
    }
}

impl Aggregation {
    /// The type of aggregated tasks, if there are any.
    pub(super) fn task_type(&self) -> Option<&String> {
        self.aggregate.then_some(&self.aggregate_type)
    }

    pub(super) fn set_up(&self, server: ServerBuilder) -> ServerBuilder {
        if !self.aggregate {
            return server;
        }
        let mut settings = GroupSettings::new();
        if let Some(millis) = self.group_grace_ms {
            settings = settings.grace(Duration::from_millis(millis));
        }
        // Zero is how Go says that there is no limit.
        if let Some(millis) = self.group_max_delay_ms.filter(|&millis| millis > 0) {
            settings = settings.max_delay(Duration::from_millis(millis));
        }
        if let Some(size) = self.group_max_size.filter(|&size| size > 0) {
            settings = settings.max_size(size);
        }
        let this = self.clone();
        server.groups(settings).aggregator(move |group: String, tasks: Vec<Task>| {
            let task = this.task(&group, &tasks);
            async move { task }
        })
    }

    fn task(&self, group: &str, tasks: &[Task]) -> Result<Task, BoxError> {
        let parts = tasks.iter().map(part).collect::<Vec<_>>();
        let task = Task::new(&self.aggregate_type, json!({"group": group, "tasks": parts}).to_string())?;
        with_options(task, None, [self.aggregate_opts.clone()]).map_err(|NotUtf8| "not a text".into())
    }
}

fn part(task: &Task) -> Value {
    let mut part = json!({"type": task.task_type().as_str(), "headers": null, "payload_b64": null});
    if !task.headers().is_empty() {
        part["headers"] = json!(task.headers());
    }
    if let Some(payload) = task.payload().filter(|payload| !payload.is_empty()) {
        part["payload_b64"] = base64(payload).into();
        let is_shown = |c: char| !c.is_ascii_control() || c == '\n' || c == '\t';
        if let Some(text) = std::str::from_utf8(payload).ok().filter(|text| text.chars().all(is_shown)) {
            part["payload_text"] = text.into();
        }
    }
    part
}
