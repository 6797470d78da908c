//! `asynq task enqueue`: one task, or one for each line of a file.

use std::io::{Read, stdin};
use std::time::Duration;

use asynq_core::inspector::PayloadFormat;
use asynq_core::task::{Task, TaskOptions};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;

use super::rows::rows;
use crate::app::App;
use crate::failure::Failure;
use crate::human;

#[derive(Args, Debug)]
pub(crate) struct Enqueue {
    /// The type.
    #[arg(short = 't', long = "type", visible_alias = "type-name", alias = "type_name")]
    task_type: String,
    /// The payload; `@FILE` reads a file, `-` reads stdin.
    #[arg(short = 'l', long)]
    payload: String,
    /// What the payload is.
    #[arg(long, default_value_t, value_parser = formats())]
    payload_format: PayloadFormat,
    /// The queue.
    #[arg(short = 'q', long)]
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
        let payload = self.payload_format.decode(payload(&self.payload)?).map_err(Failure::usage)?;
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
        let task = Task::new(self.task_type, payload).map_err(asynq_core::Error::from)?;
        let info = app.client.enqueue(task.options(options)).await?.into_info();
        if app.printer.format.is_table() && !app.printer.ids {
            let (id, queue) = (human::printable(info.id.as_str()), human::printable(info.queue.as_str()));
            return app.printer.say(&format!("enqueued {id} in queue {queue}: {}", info.state));
        }
        app.printer.listing(&rows(&[info], None, app.now(), String::new()))
    }
}

/// The formats of payloads, as help and completions list them.
fn formats() -> impl TypedValueParser<Value = PayloadFormat> {
    PossibleValuesParser::new(PayloadFormat::ALL.map(PayloadFormat::as_str))
        .try_map(|word| word.parse::<PayloadFormat>())
}

/// A payload as it was given, or the file or stdin that it names.
pub(super) fn payload(given: &str) -> Result<Vec<u8>, Failure> {
    if given == "-" {
        let mut bytes = Vec::new();
        stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    match given.strip_prefix('@') {
        Some(path) => std::fs::read(path).map_err(|error| Failure::usage(format!("{path}: {error}"))),
        None => Ok(given.as_bytes().to_vec()),
    }
}
