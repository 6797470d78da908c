//! `task_message_encode`, `metadata_encode`, `decode`: protobuf.

use asynq_core::wire::{
    DecodeError, SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, TaskMessage, WorkerInfo,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::decoded;
use crate::encoding::{hex, unhex};
use crate::vectors::file::parse;
use crate::vectors::inputs::{self, NotUtf8};

pub(super) fn encode_task(inputs: &RawValue) -> Value {
    match inputs::message(inputs) {
        Ok(message) => encoded("task", &message.encode()),
        Err(NotUtf8) => NotUtf8::answer(),
    }
}

pub(super) fn encode_metadata(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Kinds {
        kind: String,
        server: Option<Box<RawValue>>,
        worker: Option<Box<RawValue>>,
        entry: Option<Box<RawValue>>,
        event: Option<Box<RawValue>>,
    }
    let Kinds { kind, server, worker, entry, event } = parse(inputs);
    let bytes = match kind.as_str() {
        "server" => inputs::server(&server.unwrap()).encode(),
        "worker" => inputs::worker(&worker.unwrap()).encode(),
        "entry" => inputs::entry(&entry.unwrap()).encode(),
        "event" => inputs::event(&event.unwrap()).encode(),
        _ => panic!("unknown kind {kind}"),
    };
    encoded(&kind, &bytes)
}

pub(super) fn decode(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Bytes {
        kind: String,
        hex: String,
    }
    let Bytes { kind, hex: text } = parse(inputs);
    let bytes = unhex(&text);
    let mut result = match decode_as(&kind, &bytes) {
        Ok(decoded) => json!({"decoded": decoded}),
        Err(error) => return inputs::error("decode", error),
    };
    // With more headers Go has no one order to write them in.
    if let ("task", Ok(message)) = (kind.as_str(), TaskMessage::decode(bytes.as_slice()))
        && message.headers.len() < 2
    {
        result["reencoded_hex"] = hex(&message.encode()).into();
    }
    result
}

/// What was encoded, and what reads back from it.
fn encoded(kind: &str, bytes: &[u8]) -> Value {
    json!({"hex": hex(bytes), "decoded": decode_as(kind, bytes).unwrap()})
}

fn decode_as(kind: &str, bytes: &[u8]) -> Result<Value, DecodeError> {
    Ok(match kind {
        "task" => decoded::task(&TaskMessage::decode(bytes)?),
        "server" => decoded::server(&ServerInfo::decode(bytes)?),
        "worker" => decoded::worker(&WorkerInfo::decode(bytes)?),
        "entry" => decoded::entry(&SchedulerEntry::decode(bytes)?),
        "event" => decoded::event(&SchedulerEnqueueEvent::decode(bytes)?),
        _ => panic!("unknown kind {kind}"),
    })
}
