//! `asynq task enqueue`: one task, or one for each line of a file.

use std::time::Duration;

use asynq_core::inspector::PayloadFormat;
use asynq_core::task::{Task, TaskOptions};
use clap::Args;
use jiff::Timestamp;

use super::payload::{self, formats};
use super::rows::rows;
use crate::app::App;
use crate::failure::Failure;
use crate::{complete, human};

#[derive(Args, Clone, Debug)]
pub(crate) struct Enqueue {
    /// The type.
    #[arg(
        short = 't',
        long = "type",
        visible_alias = "type-name",
        alias = "type_name",
        value_name = "TYPE",
        required_unless_present = "batch",
        add = complete::types()
    )]
    task_type: Option<String>,
    /// The payload; `@FILE` reads a file, `-` reads stdin.
    #[arg(short = 'l', long, required_unless_present = "batch")]
    payload: Option<String>,
    /// Enqueue a task for each line of this file, or of stdin when it is `-`: JSON objects with `type`, `payload` (a text,
    /// or any JSON) or `payload_base64`, `queue`, `id`, `group`, `retry`, `timeout`, `deadline`, `unique`, `process_at`,
    /// `process_in`, `retention` and `headers`. When a line is wrong, nothing is enqueued.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "task_type", "payload", "queue", "id", "group", "retry", "deadline", "unique", "process_at", "process_in",
        "retention", "header",
    ])]
    batch: Option<String>,
    /// What the payload is.
    #[arg(long, default_value_t, value_parser = formats())]
    payload_format: PayloadFormat,
    /// The queue.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: Option<String>,
    /// The ID.
    #[arg(short = 'i', long)]
    id: Option<String>,
    /// The group to wait in.
    #[arg(short = 'g', long)]
    group: Option<String>,
    /// How often it may be retried.
    #[arg(long)]
    retry: Option<u32>,
    /// How long an attempt may take.
    #[arg(long, value_parser = human::duration)]
    timeout: Option<Duration>,
    /// When it must be done.
    #[arg(long, value_parser = human::moment)]
    deadline: Option<Timestamp>,
    /// How long no other task like it is taken.
    #[arg(long, value_parser = human::duration)]
    unique: Option<Duration>,
    /// When it is to run: `2026-12-24T09:00:00Z`, `"tomorrow 09:00"`.
    #[arg(long, visible_alias = "at", alias = "process_at", value_parser = human::moment)]
    process_at: Option<Timestamp>,
    /// How long it waits before it runs: `15m`.
    #[arg(long, visible_alias = "in", alias = "process_in", value_parser = human::duration, conflicts_with = "process_at")]
    process_in: Option<Duration>,
    /// How long it is kept when it is done.
    #[arg(long, value_parser = human::duration)]
    retention: Option<Duration>,
    /// A header: `name=value`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::act::pair)]
    header: Vec<(String, String)>,
}

impl Enqueue {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        if let Some(path) = &self.batch {
            return super::batch::enqueue(app, path).await;
        }
        let (Some(task_type), Some(payload)) = (self.task_type, self.payload) else {
            return Err(Failure::usage("a type and a payload are needed, or --batch"));
        };
        let payload = payload::read(self.payload_format, &payload)?;
        let mut options = TaskOptions::new();
        if let Some(queue) = self.queue {
            options = options.queue(queue);
        }
        if let Some(id) = self.id {
            options = options.task_id(id);
        }
        if let Some(group) = self.group {
            options = options.group(group);
        }
        if let Some(times) = self.retry {
            options = options.max_retry(times);
        }
        if let Some(limit) = self.timeout {
            options = options.timeout(limit);
        }
        if let Some(at) = self.deadline {
            options = options.deadline(at);
        }
        if let Some(time) = self.unique {
            options = options.unique(time);
        }
        if let Some(at) = self.process_at {
            options = options.process_at(at);
        }
        if let Some(delay) = self.process_in {
            options = options.process_in(delay);
        }
        if let Some(keep) = self.retention {
            options = options.retention(keep);
        }
        for (name, value) in self.header {
            options = options.header(name, value);
        }
        let task = Task::new(task_type, payload).map_err(asynq_core::Error::from)?;
        let info = app.client.enqueue(task.options(options)).await?.into_info();
        if app.printer.format.is_table() && !app.printer.ids {
            let (id, queue) = (human::printable(info.id.as_str()), human::printable(info.queue.as_str()));
            return app.printer.say(&format!("enqueued {id} in queue {queue}: {}", info.state));
        }
        app.printer.listing(&rows(&[info], None, app.now(), String::new()))
    }
}
