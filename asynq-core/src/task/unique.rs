//! Uniqueness: what names a lock, byte-equal to Go's where Go has one, and until when it is kept.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::{QueueName, TaskType};
use crate::wire::keys::Keyspace;

/// The longest key of one's own, in bytes.
pub(crate) const LONGEST_UNIQUE_KEY: usize = 512;

/// Until when a unique task keeps others out; never beyond the time given for it.
///
/// # Beside Go
///
/// The store is shared, so what Go programs do with such a task counts as well. They refuse an equal task for as long
/// as there is a lock, and know no other end than success.
///
/// | | Rust producer, Rust or Go worker | Go producer |
/// |---|---|---|
/// | `Success` | until the task is done | the same |
/// | `Start` | while the task waits | until the task is done |
/// | `Ttl` | the whole time | the same |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UniqueUntil {
    /// Until the task is done, as in Go: it has succeeded, or was revoked or deleted. One that was given up keeps its
    /// lock for the time that is left.
    #[default]
    Success,
    /// Until the task starts to run: what happens from then on may need another run. A task that waits to be tried
    /// again keeps others out again, unless one has come meanwhile.
    Start,
    /// For the whole time, whatever becomes of the task: at most one in so long. Only the deletion of its queue ends it
    /// earlier.
    Ttl,
}

impl UniqueUntil {
    /// As it is written in options and in the store: `success`, `start` or `ttl`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Start => "start",
            Self::Ttl => "ttl",
        }
    }

    /// What is written so.
    pub(crate) fn named(text: &str) -> Option<Self> {
        [Self::Success, Self::Start, Self::Ttl].into_iter().find(|until| until.as_str() == text)
    }
}

/// What names the lock of a task, in place of its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UniqueBy {
    /// A key of one's own.
    Key(String),
    /// These bytes, hashed as a payload would be.
    Bytes(Bytes),
}

impl UniqueBy {
    /// The key of the lock.
    pub(crate) fn lock(&self, keyspace: &Keyspace, queue: &QueueName, task_type: &TaskType) -> String {
        match self {
            // In a place of their own: no payload has such a key by accident.
            Self::Key(key) => keyspace.queue(queue).own_lock(task_type.as_str(), key),
            Self::Bytes(bytes) => unique_key(keyspace, queue, task_type, Some(bytes)),
        }
    }
}

/// The key of the lock that a unique task takes: queue, type, and the MD5 of the payload.
///
/// No payload (`None`) and an empty payload give different keys, as in Go, although both look the same on the
/// wire. ID, headers, group and options play no part.
///
/// # Examples
///
/// ```
/// use asynq_core::task::{QueueName, TaskType, unique_key};
/// use asynq_core::wire::keys::Keyspace;
///
/// let (queue, task_type) = (QueueName::new("q").unwrap(), TaskType::new("t").unwrap());
/// assert_eq!(
///     unique_key(&Keyspace::default(), &queue, &task_type, Some(b"p")),
///     "asynq:{q}:unique:t:83878c91171338902e0fe0fb97a8c47a",
/// );
/// ```
pub fn unique_key(
    keyspace: &Keyspace,
    queue: &QueueName,
    task_type: &TaskType,
    payload: Option<&[u8]>,
) -> String {
    let mut key = keyspace.queue(queue).unique_prefix(task_type.as_str());
    if let Some(payload) = payload {
        for byte in Md5::digest(payload) {
            for nibble in [byte >> 4, byte & 0xf] {
                key.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
    }
    key
}
