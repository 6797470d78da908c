//! The typed layer over tasks: what `#[job]` generates against.

mod codec;
mod job;
mod options;

pub use codec::{Codec, CodecError, Json};
pub use job::{IntoTask, Job};
pub use options::JobOptions;
