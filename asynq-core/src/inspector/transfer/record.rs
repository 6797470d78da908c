//! What the lines of an export say.
//!
//! ```text
//! {"asynq_export":1,"key_prefix":"asynq","exported_at":"2026-11-29T09:00:00Z"}
//! {"id":"…","queue":"mail","state":"scheduled","score":1796000000,"type":"email:send","payload":"{\"to\":\"ann\"}",…}
//! {"asynq_export_end":{"tasks":1}}
//! ```
//!
//! A task has what its message says, field by field, without those that say nothing; in `fields` the other fields of
//! its hash; and in `lock` the uniqueness lock that it holds. Times are Unix seconds and lengths of time are seconds, as
//! they are stored. Bytes that are no text are `{"base64":"…"}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::{Blob, TaskMessage};

/// The version of this format.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) asynq_export: u32,
    /// What the names of keys began with.
    pub(super) key_prefix: String,
    /// RFC 3339.
    pub(super) exported_at: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Footer {
    pub(super) asynq_export_end: Count,
}

/// How much there was.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Count {
    pub(super) tasks: usize,
}

/// A task.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) queue: String,
    pub(super) state: String,
    /// When it is due, was given up, is to be dropped or came into its group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<i64>,
    #[serde(rename = "type")]
    pub(super) task_type: String,
    #[serde(skip_serializing_if = "Blob::is_empty")]
    pub(super) payload: Blob,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_retry: i32,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) retried: i32,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) error: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) last_failed_at: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) timeout: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) deadline: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) retention: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) completed_at: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) group: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) unique_key: String,
    /// What else its message has, in protobuf.
    #[serde(skip_serializing_if = "Blob::is_empty")]
    pub(super) unknown: Blob,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) fields: BTreeMap<String, Blob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lock: Option<Lock>,
}

/// A uniqueness lock that a task holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    /// What ends it: `success`, `start` or `ttl`.
    pub(super) until: String,
    /// When its time is over.
    pub(super) expires_at: i64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Record {
    /// What a message says, of a task in this state.
    pub(super) fn new(message: TaskMessage, state: &str) -> Self {
        Self {
            id: message.id,
            queue: message.queue,
            state: state.to_owned(),
            task_type: message.task_type,
            payload: Blob(message.payload),
            headers: message.headers,
            max_retry: message.retry,
            retried: message.retried,
            error: message.error_msg,
            last_failed_at: message.last_failed_at,
            timeout: message.timeout,
            deadline: message.deadline,
            retention: message.retention,
            completed_at: message.completed_at,
            group: message.group_key,
            unique_key: message.unique_key,
            unknown: Blob(message.unknown.into()),
            ..Self::default()
        }
    }

    /// The message that says so.
    pub(super) fn message(&self) -> TaskMessage {
        TaskMessage {
            task_type: self.task_type.clone(),
            payload: self.payload.0.clone(),
            id: self.id.clone(),
            queue: self.queue.clone(),
            retry: self.max_retry,
            retried: self.retried,
            error_msg: self.error.clone(),
            timeout: self.timeout,
            deadline: self.deadline,
            unique_key: self.unique_key.clone(),
            last_failed_at: self.last_failed_at,
            retention: self.retention,
            completed_at: self.completed_at,
            group_key: self.group.clone(),
            headers: self.headers.clone(),
            unknown: self.unknown.0.to_vec(),
        }
    }
}
