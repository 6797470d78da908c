//! The uniqueness lock's key, byte-equal to Go's.

use md5::{Digest, Md5};

use super::{QueueName, TaskType};
use crate::wire::keys::Keyspace;

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
