//! [`SchedulerEntry`] and [`SchedulerEnqueueEvent`]: periodic tasks and what they enqueued.

use bytes::Bytes;

use super::protobuf::{WireTimestamp, message, strings, timestamp};

/// The header of a task that a scheduler of ours enqueued: when the tick was due, as `2026-03-27T09:00:00Z`.
pub const TICK_HEADER: &str = "asynq-tick";

message! {
    /// A periodic task of a scheduler.
    pub struct SchedulerEntry {
        /// ID of the entry, a UUID.
        1 id: prost::encoding::string(String),
        /// Cron specification as registered.
        2 spec: prost::encoding::string(String),
        /// Task type.
        3 task_type: prost::encoding::string(String),
        /// Payload.
        4 task_payload: prost::encoding::bytes(Bytes),
        /// Options as text; see [`EnqueueOption`](super::EnqueueOption).
        5 enqueue_options: strings(Vec<String>),
        /// When it fires next.
        6 next_enqueue_time: timestamp(Option<WireTimestamp>),
        /// When it fired last.
        7 prev_enqueue_time: timestamp(Option<WireTimestamp>),
    }
}

message! {
    /// One task that a scheduler entry enqueued.
    pub struct SchedulerEnqueueEvent {
        /// ID of the task.
        1 task_id: prost::encoding::string(String),
        /// When it was enqueued.
        2 enqueue_time: timestamp(Option<WireTimestamp>),
    }
}
