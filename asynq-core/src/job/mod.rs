//! The typed layer over tasks: what `#[job]` generates against.

mod codec;
mod go_json;
mod groups;
mod job;
mod options;
mod payload;
mod result;
mod schedule;
mod shape;
mod unique;

pub use codec::{Codec, CodecError, Json};
pub use go_json::GoJson;
pub use groups::GroupSettings;
pub use job::{IntoTask, Job};
pub use options::JobOptions;
pub use payload::Payload;
#[doc(hidden)]
pub use payload::{Argument, read_argument, write_argument};
pub use result::FromResult;
pub use schedule::JobSchedule;
#[doc(hidden)]
pub use schedule::periodic_task;
pub use shape::{PayloadField, PayloadShape};
#[doc(hidden)]
pub use unique::UniqueFields;

/// Types of Go whose JSON is not what serde makes of Rust's; see [`GoJson`].
pub mod go {
    pub use super::go_json::{Nanos, bytes};
}
