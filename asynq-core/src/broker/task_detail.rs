//! [`TaskDetail`]: all that is known of one task, and how it is read from what is stored. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::Unreadable;
use super::lock::LockInfo;
use super::snapshot::Snapshot;
use crate::clock::from_unix_seconds;
use crate::task::{QueueName, TaskId, TaskInfo};
use crate::wire::TaskMessage;

/// All that is known of one task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskDetail {
    /// The task.
    pub info: TaskInfo,
    /// The group it will go to when it is due, as stored beside the message; empty for none.
    pub group: String,
    /// Since when it is ready to run.
    pub pending_since: Option<Timestamp>,
    /// When its worker's lease ends; `None` unless it is active.
    pub lease_until: Option<Timestamp>,
    /// The ID of the server that runs it; `None` for a Go server.
    pub server_id: Option<String>,
    /// How often a worker died while running it.
    pub crashes: u32,
    /// The uniqueness lock that it took, if any.
    pub lock: Option<LockInfo>,
    /// What else is stored with it that Go does not know: fields `x_…`, but for those of one run.
    pub own_fields: BTreeMap<String, Bytes>,
    /// The stored message.
    pub message: TaskMessage,
    /// The same as it is stored, byte for byte.
    pub message_bytes: Bytes,
}

/// A task's hash, and its scores; each in Unix seconds.
#[derive(Debug, Default)]
pub(super) struct StoredTask {
    pub(super) fields: BTreeMap<String, Bytes>,
    pub(super) lease_until: Option<i64>,
    pub(super) scheduled: Option<i64>,
    pub(super) retry: Option<i64>,
}

impl StoredTask {
    /// The task as it stands at this second, but for its lock; `None` when there is no message.
    pub(super) fn into_detail(
        mut self,
        queue: &QueueName,
        id: &TaskId,
        now_seconds: i64,
    ) -> Option<Result<TaskDetail, Unreadable>> {
        let message_bytes = self.fields.remove("msg")?;
        Some(self.read(message_bytes, queue, id, now_seconds))
    }

    fn read(
        mut self,
        message_bytes: Bytes,
        queue: &QueueName,
        id: &TaskId,
        now_seconds: i64,
    ) -> Result<TaskDetail, Unreadable> {
        let mut text =
            |name: &str| self.fields.remove(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let state = text("state").unwrap_or_default();
        let group = text("group").unwrap_or_default();
        let pending_since = text("pending_since").and_then(|nanos| nanos.parse::<i64>().ok());
        let (server_id, crashes) = (text("x_own"), text("x_crash").and_then(|crashes| crashes.parse().ok()));
        text("x_run");
        let snapshot = Snapshot {
            message: message_bytes.clone(),
            due: if state == "retry" { self.retry } else { self.scheduled },
            state,
            result: self.fields.remove("result"),
            lease_until: self.lease_until,
        };
        let message = TaskMessage::decode(message_bytes.clone())?;
        self.fields.retain(|name, _| name.starts_with("x_"));
        Ok(TaskDetail {
            info: snapshot.into_info(queue, id, now_seconds)?,
            group,
            pending_since: pending_since.and_then(|nanos| Timestamp::from_nanosecond(nanos.into()).ok()),
            lease_until: self.lease_until.map(from_unix_seconds),
            server_id,
            crashes: crashes.unwrap_or(0),
            lock: None,
            own_fields: self.fields,
            message,
            message_bytes,
        })
    }
}
