//! Inputs that several suites share: payloads, messages, server state.

use std::collections::BTreeMap;
use std::fmt::Display;

use asynq_core::task::{QueueName, TaskType, unique_key};
use asynq_core::wire::keys::Keyspace;
use asynq_core::wire::{
    SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, TaskMessage, WireTimestamp, WorkerInfo,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::file::parse;
use crate::encoding::{unbase64, unhex};

/// Text that JSON may be unable to hold; `Err` is what Go answers when it must encode such text.
pub(super) type Text = Result<String, NotUtf8>;

/// Text that is not UTF-8, which none of our types can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl NotUtf8 {
    pub(super) fn answer() -> Value {
        error("encode", "text is not UTF-8")
    }
}

/// An error as a result.
pub(super) fn error(class: &str, message: impl Display) -> Value {
    json!({"error": {"class": class, "message": format!("{message}")}})
}

/// Text, or its hexadecimal twin instead.
pub(super) fn text(plain: &str, hex: Option<&str>) -> Text {
    match hex {
        Some(hex) => String::from_utf8(unhex(hex)).or(Err(NotUtf8)),
        None => Ok(plain.to_owned()),
    }
}

/// The payload among inputs, in whichever form it is given.
pub(super) fn payload(inputs: &RawValue) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Forms {
        payload: Option<Box<RawValue>>,
        payload_b64: Option<String>,
        payload_hex: Option<String>,
        payload_text: Option<String>,
        payload_fill: Option<Fill>,
    }
    #[derive(Deserialize)]
    struct Fill {
        byte: u8,
        count: usize,
    }
    let forms: Forms = parse(inputs);
    forms
        .payload
        .map(|json| compact(json.get()).into())
        .or_else(|| forms.payload_b64.map(|text| unbase64(&text).into()))
        .or_else(|| forms.payload_hex.map(|text| unhex(&text).into()))
        .or_else(|| forms.payload_text.map(Into::into))
        .or_else(|| forms.payload_fill.map(|fill| vec![fill.byte; fill.count].into()))
}

/// JSON without white space between its parts.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&c| {
            let keep = in_string || !c.is_ascii_whitespace();
            in_string ^= c == '"' && !escaped;
            escaped = in_string && c == '\\' && !escaped;
            keep
        })
        .collect()
}

/// The message among inputs.
pub(super) fn message(inputs: &RawValue) -> Result<TaskMessage, NotUtf8> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        r#type: String,
        type_hex: Option<String>,
        id: String,
        queue: String,
        headers: BTreeMap<String, String>,
        retry: i64,
        retried: i64,
        error_msg: String,
        error_msg_hex: Option<String>,
        last_failed_at: i64,
        timeout: i64,
        deadline: i64,
        unique_key: String,
        unique: bool,
        group_key: String,
        retention: i64,
        completed_at: i64,
    }
    let fields: Fields = parse(inputs);
    let payload = payload(inputs);
    let task_type = text(&fields.r#type, fields.type_hex.as_deref())?;
    let unique_key = if fields.unique {
        let (queue, task_type) = (QueueName::new(&fields.queue).unwrap(), TaskType::new(&task_type).unwrap());
        unique_key(&Keyspace::default(), &queue, &task_type, payload.as_deref())
    } else {
        fields.unique_key
    };
    Ok(TaskMessage {
        task_type,
        payload: payload.unwrap_or_default(),
        id: fields.id,
        queue: fields.queue,
        retry: wrapped(fields.retry),
        retried: wrapped(fields.retried),
        error_msg: text(&fields.error_msg, fields.error_msg_hex.as_deref())?,
        timeout: fields.timeout,
        deadline: fields.deadline,
        unique_key,
        last_failed_at: fields.last_failed_at,
        retention: fields.retention,
        completed_at: fields.completed_at,
        group_key: fields.group_key,
        headers: fields.headers,
        ..TaskMessage::default()
    })
}

/// The lower half, as Go's conversion takes it.
#[expect(clippy::cast_possible_truncation, reason = "that is the point")]
fn wrapped(number: i64) -> i32 {
    number as i32
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Time {
    seconds: i64,
    nanos: i32,
    #[serde(default)]
    zero: bool,
}

/// A time that is not given is Go's zero time, and written all the same.
fn wire_time(at: Option<Time>) -> WireTimestamp {
    match at {
        Some(Time { zero: false, seconds, nanos }) => {
            WireTimestamp { seconds, nanos, ..WireTimestamp::default() }
        }
        _ => WireTimestamp::never(),
    }
}

/// A server's description.
pub(super) fn server(inputs: &RawValue) -> ServerInfo {
    #[derive(Deserialize)]
    struct Fields {
        host: String,
        pid: i32,
        server_id: String,
        concurrency: i32,
        queues: BTreeMap<String, i32>,
        strict_priority: bool,
        status: String,
        start_time: Option<Time>,
        active_worker_count: i32,
    }
    let fields: Fields = parse(inputs);
    ServerInfo {
        host: fields.host,
        pid: fields.pid,
        server_id: fields.server_id,
        concurrency: fields.concurrency,
        queues: fields.queues,
        strict_priority: fields.strict_priority,
        status: fields.status,
        start_time: Some(wire_time(fields.start_time)),
        active_worker_count: fields.active_worker_count,
        ..ServerInfo::default()
    }
}

/// A worker's description.
pub(super) fn worker(inputs: &RawValue) -> WorkerInfo {
    #[derive(Deserialize)]
    struct Fields {
        host: String,
        pid: i32,
        server_id: String,
        task_id: String,
        task_type: String,
        queue: String,
        start_time: Option<Time>,
        deadline: Option<Time>,
    }
    let fields: Fields = parse(inputs);
    WorkerInfo {
        host: fields.host,
        pid: fields.pid,
        server_id: fields.server_id,
        task_id: fields.task_id,
        task_type: fields.task_type,
        task_payload: payload(inputs).unwrap_or_default(),
        queue: fields.queue,
        start_time: Some(wire_time(fields.start_time)),
        deadline: Some(wire_time(fields.deadline)),
        ..WorkerInfo::default()
    }
}

/// A scheduler's entry.
pub(super) fn entry(inputs: &RawValue) -> SchedulerEntry {
    #[derive(Deserialize)]
    struct Fields {
        id: String,
        spec: String,
        task_type: String,
        #[serde(default)]
        enqueue_options: Vec<String>,
        next_enqueue_time: Option<Time>,
        prev_enqueue_time: Option<Time>,
    }
    let fields: Fields = parse(inputs);
    SchedulerEntry {
        id: fields.id,
        spec: fields.spec,
        task_type: fields.task_type,
        task_payload: payload(inputs).unwrap_or_default(),
        enqueue_options: fields.enqueue_options,
        next_enqueue_time: Some(wire_time(fields.next_enqueue_time)),
        prev_enqueue_time: Some(wire_time(fields.prev_enqueue_time)),
        ..SchedulerEntry::default()
    }
}

/// What a scheduler's entry enqueued.
pub(super) fn event(inputs: &RawValue) -> SchedulerEnqueueEvent {
    #[derive(Deserialize)]
    struct Fields {
        task_id: String,
        enqueue_time: Option<Time>,
    }
    let fields: Fields = parse(inputs);
    SchedulerEnqueueEvent {
        task_id: fields.task_id,
        enqueue_time: Some(wire_time(fields.enqueue_time)),
        ..SchedulerEnqueueEvent::default()
    }
}
