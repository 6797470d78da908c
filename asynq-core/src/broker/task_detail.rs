//! [`TaskDetail`]: all that is known of one task.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::task::TaskInfo;
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
    /// The stored message.
    pub message: TaskMessage,
    /// The same as it is stored, byte for byte.
    pub message_bytes: Bytes,
}

/// A uniqueness lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    /// Its key.
    pub key: String,
    /// Who holds it now: the ID of a task, perhaps of another one; `None` when nobody does any more.
    pub holder: Option<String>,
    /// How long it lasts from now, in whole seconds, rounded up; `None` when nobody holds it, or when it never ends.
    pub expires_in: Option<Duration>,
}
