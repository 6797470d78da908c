//! The contract with Go asynq: key names and the bytes stored under them. Pure; no connection, no clock.
//!
//! Facts are those of hibiken/asynq v0.26.0, checked against what the real library wrote (`tests/vectors`).

mod blob;
mod headers;
pub mod keys;
mod message;
mod option;
mod protobuf;
mod schedule;
mod server;

pub(crate) use blob::Blob;
pub use headers::{CODEC_HEADER, LAYERS_HEADER, VERSION_HEADER};
pub use message::TaskMessage;
pub use option::{
    EnqueueOption, GoDuration, GoReading, GoString, GoTime, InvalidDuration, InvalidOptionString, go_readable,
};
pub use protobuf::{DecodeError, WireTimestamp};
pub use schedule::{SchedulerEnqueueEvent, SchedulerEntry, TICK_HEADER};
pub use server::{ServerInfo, WorkerInfo};
