//! `asynq task enqueue`: one task, or one for each line of a file.

use std::io::{Read, stdin};
use std::time::Duration;

use asynq_core::task::{Task, TaskOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
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
    #[arg(long, value_enum, default_value_t)]
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

/// What a payload on the command line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum PayloadFormat {
    /// Bytes as they are.
    #[default]
    Text,
    /// JSON, which is checked.
    Json,
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
}

impl Enqueue {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let payload = self.payload_format.decode(payload(&self.payload)?)?;
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

impl PayloadFormat {
    fn decode(self, bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Text => Ok(bytes),
            Self::Json => match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
                Ok(_) => Ok(bytes),
                Err(error) => Err(Failure::usage(format!("the payload is no JSON: {error}"))),
            },
            Self::Base64 => STANDARD
                .decode(bytes.trim_ascii())
                .map_err(|error| Failure::usage(format!("the payload is no base64: {error}"))),
            Self::Hex => hex(bytes.trim_ascii())
                .ok_or_else(|| Failure::usage("the payload must be pairs of hexadecimal digits")),
        }
    }
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            u8::try_from(digit(high)? * 16 + digit(low)?).ok()
        }
        _ => None,
    });
    pairs.collect()
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
