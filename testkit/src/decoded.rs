//! Stored bytes as JSON, in the words of the vector format.

use asynq_core::wire::{
    SchedulerEnqueueEvent, SchedulerEntry, ServerInfo, TaskMessage, WireTimestamp, WorkerInfo,
};
use serde_json::{Value, json};

use crate::encoding::hex;

/// Bytes: hexadecimal, and as text where they are short and printable.
pub fn bin(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) if (1..=400).contains(&bytes.len()) && is_plain(text) => {
            json!({"hex": hex(bytes), "text": text})
        }
        _ => json!({"hex": hex(bytes)}),
    }
}

fn is_plain(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c < ' ' && c != '\n' && c != '\t' || c == '\x7f' || c == char::REPLACEMENT_CHARACTER)
}

/// A task.
pub fn task(message: &TaskMessage) -> Value {
    json!({
        "type": message.task_type, "payload_hex": hex(&message.payload), "id": message.id, "queue": message.queue,
        "retry": message.retry, "retried": message.retried, "error_msg": message.error_msg,
        "last_failed_at": message.last_failed_at, "timeout": message.timeout, "deadline": message.deadline,
        "unique_key": message.unique_key, "group_key": message.group_key, "retention": message.retention,
        "completed_at": message.completed_at, "headers": message.headers,
    })
}

/// A server.
pub fn server(info: &ServerInfo) -> Value {
    json!({
        "host": info.host, "pid": info.pid, "server_id": info.server_id, "concurrency": info.concurrency,
        "queues": info.queues, "strict_priority": info.strict_priority, "status": info.status,
        "start_time": timestamp(info.start_time.as_ref()), "active_worker_count": info.active_worker_count,
    })
}

/// A task that a server runs.
pub fn worker(info: &WorkerInfo) -> Value {
    json!({
        "host": info.host, "pid": info.pid, "server_id": info.server_id, "task_id": info.task_id,
        "task_type": info.task_type, "task_payload_hex": hex(&info.task_payload), "queue": info.queue,
        "start_time": timestamp(info.start_time.as_ref()), "deadline": timestamp(info.deadline.as_ref()),
    })
}

/// A periodic task.
pub fn entry(entry: &SchedulerEntry) -> Value {
    json!({
        "id": entry.id, "spec": entry.spec, "task_type": entry.task_type,
        "task_payload_hex": hex(&entry.task_payload), "enqueue_options": entry.enqueue_options,
        "next_enqueue_time": timestamp(entry.next_enqueue_time.as_ref()),
        "prev_enqueue_time": timestamp(entry.prev_enqueue_time.as_ref()),
    })
}

/// What a periodic task enqueued.
pub fn event(event: &SchedulerEnqueueEvent) -> Value {
    json!({"task_id": event.task_id, "enqueue_time": timestamp(event.enqueue_time.as_ref())})
}

/// An absent time reads as the epoch, as Go reads it.
fn timestamp(at: Option<&WireTimestamp>) -> Value {
    let at = at.cloned().unwrap_or_default();
    json!({"seconds": at.seconds, "nanos": at.nanos})
}
