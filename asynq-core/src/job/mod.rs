//! The typed layer over tasks: what `#[job]` generates against.

mod codec;
mod groups;
mod job;
mod options;
mod payload;

pub use codec::{Codec, CodecError, Json};
pub use groups::GroupSettings;
pub use job::{IntoTask, Job};
pub use options::JobOptions;
pub use payload::Payload;
#[doc(hidden)]
pub use payload::{Argument, read_argument, write_argument};
