//! [`ServerInfo`] and [`WorkerInfo`]: what a server tells about itself.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::protobuf::{WireTimestamp, int32_map, message, timestamp};

message! {
    /// What a server tells about itself.
    pub struct ServerInfo {
        /// Host name.
        1 host: prost::encoding::string(String),
        /// Process ID.
        2 pid: prost::encoding::int32(i32),
        /// UUID of the server object.
        3 server_id: prost::encoding::string(String),
        /// How many tasks it runs at a time.
        4 concurrency: prost::encoding::int32(i32),
        /// Its queues and their priorities.
        5 queues: int32_map(BTreeMap<String, i32>),
        /// Whether a queue is served only when those of higher priority are empty.
        6 strict_priority: prost::encoding::bool(bool),
        /// `new`, `active`, `stopped` or `closed`.
        7 status: prost::encoding::string(String),
        /// When it started.
        8 start_time: timestamp(Option<WireTimestamp>),
        /// How many tasks it is running.
        9 active_worker_count: prost::encoding::int32(i32),
        /// Which version of ours it runs. Go's format has no such field, and Go passes over what it does not know.
        1000 version: prost::encoding::string(String),
    }
}

message! {
    /// A task that a server is running.
    pub struct WorkerInfo {
        /// Host name.
        1 host: prost::encoding::string(String),
        /// Process ID.
        2 pid: prost::encoding::int32(i32),
        /// UUID of the server object.
        3 server_id: prost::encoding::string(String),
        /// Task ID.
        4 task_id: prost::encoding::string(String),
        /// Task type.
        5 task_type: prost::encoding::string(String),
        /// Payload.
        6 task_payload: prost::encoding::bytes(Bytes),
        /// Queue name.
        7 queue: prost::encoding::string(String),
        /// When this attempt started.
        8 start_time: timestamp(Option<WireTimestamp>),
        /// When this attempt must end.
        9 deadline: timestamp(Option<WireTimestamp>),
    }
}
