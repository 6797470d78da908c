//! [`TaskMessage`]: a task as it is stored.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::protobuf::{message, string_map};

message! {
    /// A task as it is stored in the `msg` field of its hash. Zero or empty stands for "none".
    pub struct TaskMessage {
        /// Task type.
        1 task_type: prost::encoding::string(String),
        /// Payload; nil and empty are the same here.
        2 payload: prost::encoding::bytes(Bytes),
        /// Task ID.
        3 id: prost::encoding::string(String),
        /// Queue name.
        4 queue: prost::encoding::string(String),
        /// How often it may be retried.
        5 retry: prost::encoding::int32(i32),
        /// How often it was retried.
        6 retried: prost::encoding::int32(i32),
        /// Text of the last error.
        7 error_msg: prost::encoding::string(String),
        /// Time limit of an attempt, in seconds.
        8 timeout: prost::encoding::int64(i64),
        /// Time to be done by, Unix seconds.
        9 deadline: prost::encoding::int64(i64),
        /// Full key of the uniqueness lock.
        10 unique_key: prost::encoding::string(String),
        /// Time of the last failure, Unix seconds.
        11 last_failed_at: prost::encoding::int64(i64),
        /// How long to keep it after success, in seconds.
        12 retention: prost::encoding::int64(i64),
        /// Time of success, Unix seconds.
        13 completed_at: prost::encoding::int64(i64),
        /// Name of its group.
        14 group_key: prost::encoding::string(String),
        /// Headers.
        15 headers: string_map(BTreeMap<String, String>),
    }
}

impl TaskMessage {
    /// The task type in the first bytes of an encoded message, which begins with it in Go and here; none where it
    /// does not, or where these are too few bytes.
    pub fn type_in(mut head: &[u8]) -> Option<String> {
        // Field 1, of known length.
        let rest = head.strip_prefix(b"\x0a")?;
        head = rest;
        let length = usize::try_from(prost::encoding::decode_varint(&mut head).ok()?).ok()?;
        String::from_utf8(head.get(..length)?.to_vec()).ok()
    }
}
