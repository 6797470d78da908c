//! `client.enqueue`.

use std::collections::BTreeMap;
use std::time::Duration;

use asynq_core::Error;
use asynq_core::client::Client;
use asynq_core::task::{Task, TaskInfo, TaskOptions};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::encoding::base64;
use crate::vectors::file::parse;
use crate::vectors::inputs::{self, NotUtf8, error};

pub(super) async fn enqueue(client: &Client, arguments: &RawValue) -> Value {
    let task = match task(arguments) {
        Ok(task) => task,
        Err(answer) => return answer,
    };
    match client.enqueue(task).await {
        Ok(info) => shown(&info),
        Err(refused) => error(class(&refused), refused),
    }
}

/// The task, or what Go answers where none of ours can be made.
fn task(arguments: &RawValue) -> Result<Task, Value> {
    #[derive(Deserialize)]
    struct Arguments {
        #[serde(default)]
        r#type: String,
        type_hex: Option<String>,
        headers: Option<BTreeMap<String, String>>,
        task_opts: Option<Bags>,
        opts: Option<Bags>,
    }
    let given: Arguments = parse(arguments);
    let not_text = |NotUtf8| NotUtf8::answer();
    let task_type = inputs::text(&given.r#type, given.type_hex.as_deref()).map_err(not_text)?;
    let task = match inputs::payload(arguments) {
        Some(payload) => Task::new(task_type, payload),
        None => Task::without_payload(task_type),
    };
    let mut task = task.map_err(|blank| error("invalid", blank))?;
    let mut headers = given.headers;
    for bags in [given.task_opts, given.opts].into_iter().flatten() {
        let mut options = TaskOptions::new();
        for bag in bags.into_list() {
            // Headers go with the task in Go, so the last ones given are those.
            headers = bag.headers.clone().or(headers);
            options = bag.add_to(options).map_err(not_text)?;
        }
        task = task.options(options);
    }
    Ok(headers.unwrap_or_default().into_iter().fold(task, |task, (name, value)| task.header(name, value)))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bags {
    One(Box<Bag>),
    Several(Vec<Bag>),
}

impl Bags {
    fn into_list(self) -> Vec<Bag> {
        match self {
            Self::One(bag) => vec![*bag],
            Self::Several(bags) => bags,
        }
    }
}

/// Options, applied in this order.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Bag {
    queue: Option<String>,
    queue_hex: Option<String>,
    max_retry: Option<i64>,
    timeout_ms: Option<i64>,
    timeout_ns: Option<i64>,
    deadline_unix: Option<i64>,
    deadline_unix_ms: Option<i64>,
    deadline_in_ms: Option<i64>,
    deadline_zero: bool,
    process_in_ms: Option<i64>,
    process_at_unix: Option<i64>,
    process_at_unix_ms: Option<i64>,
    unique_ms: Option<i64>,
    retention_ms: Option<i64>,
    group: Option<String>,
    task_id: Option<String>,
    headers: Option<BTreeMap<String, String>>,
}

impl Bag {
    fn add_to(self, mut options: TaskOptions) -> Result<TaskOptions, NotUtf8> {
        if self.queue.is_some() || self.queue_hex.is_some() {
            options =
                options.queue(inputs::text(&self.queue.unwrap_or_default(), self.queue_hex.as_deref())?);
        }
        if let Some(times) = self.max_retry {
            // Go takes a negative number for none; our type has no negative numbers.
            options = options.max_retry(u32::try_from(times.max(0)).unwrap_or(u32::MAX));
        }
        if let Some(millis) = self.timeout_ms {
            options = options.timeout(duration(millis));
        }
        if let Some(nanos) = self.timeout_ns {
            options = options.timeout(Duration::from_nanos(nanos.max(0).unsigned_abs()));
        }
        if let Some(at) = self.deadline_unix {
            options = options.deadline(Timestamp::from_second(at).unwrap());
        }
        if let Some(at) = self.deadline_unix_ms {
            options = options.deadline(Timestamp::from_millisecond(at).unwrap());
        }
        if let Some(millis) = self.deadline_in_ms {
            options = options.expires_in(duration(millis));
        }
        if self.deadline_zero {
            options = options.deadline(Timestamp::UNIX_EPOCH);
        }
        if let Some(millis) = self.process_in_ms {
            options = options.process_in(duration(millis));
        }
        if let Some(at) = self.process_at_unix {
            options = options.process_at(Timestamp::from_second(at).unwrap());
        }
        if let Some(at) = self.process_at_unix_ms {
            options = options.process_at(Timestamp::from_millisecond(at).unwrap());
        }
        if let Some(millis) = self.unique_ms {
            options = options.unique(duration(millis));
        }
        if let Some(millis) = self.retention_ms {
            options = options.retention(duration(millis));
        }
        if let Some(group) = self.group {
            options = options.group(group);
        }
        if let Some(id) = self.task_id {
            options = options.task_id(id);
        }
        Ok(options)
    }
}

/// Our durations are never negative; where Go takes one, it means none.
fn duration(millis: i64) -> Duration {
    Duration::from_millis(millis.max(0).unsigned_abs())
}

/// A task as gopeer shows it.
pub(super) fn shown(info: &TaskInfo) -> Value {
    let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    json!({
        "id": info.id.as_str(), "queue": info.queue.as_str(), "type": info.task_type.as_str(),
        "payload_b64": base64(&info.payload), "headers": info.headers, "state": info.state.as_str(),
        "max_retry": info.max_retry, "retried": info.retried, "last_err": info.last_error,
        "last_failed_at_unix": seconds(info.last_failed_at),
        "timeout_ms": u64::try_from(info.timeout.as_millis()).unwrap(),
        "deadline_unix": seconds(info.deadline), "group": info.group,
        "next_process_at_ns": info.next_process_at.map(|at| i64::try_from(at.as_nanosecond()).unwrap()),
        "is_orphaned": info.is_orphaned,
        "retention_ms": u64::try_from(info.retention.as_millis()).unwrap(),
        "completed_at_unix": seconds(info.completed_at),
        "result_b64": info.result.as_deref().map(base64),
    })
}

fn class(error: &Error) -> &'static str {
    match error {
        Error::DuplicateTask { .. } => "duplicate",
        Error::TaskIdConflict { .. } => "conflict",
        Error::TaskNotFound { .. } => "task_not_found",
        Error::InvalidOption(_) => "invalid",
        Error::Codec { .. } => "encode",
        Error::Broker(_) => "redis",
        _ => "other",
    }
}
