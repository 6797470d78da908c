//! The typed layer over tasks: what `#[job]` generates against.

mod codec;
mod groups;
mod job;
mod length;
mod options;
mod payload;
mod rate;
mod result;
mod schedule;
mod schema;
mod shape;
mod unique;
mod versions;

#[cfg(feature = "cbor")]
pub use codec::Cbor;
#[cfg(feature = "zstd")]
pub use codec::Compressed;
#[cfg(feature = "encryption")]
pub use codec::Encrypted;
#[cfg(feature = "msgpack")]
pub use codec::MsgPack;
#[cfg(feature = "protobuf")]
pub use codec::Protobuf;
pub use codec::{Codec, CodecError, GoJson, Json, Raw};
#[doc(hidden)]
pub use codec::{Transparent, Whole};
pub use groups::GroupSettings;
pub use job::{IntoTask, Job};
pub(crate) use length::Length;
pub use options::JobOptions;
#[doc(hidden)]
pub use options::assert_unique;
pub use payload::Payload;
#[doc(hidden)]
pub use payload::{Argument, read_argument, write_argument};
pub use rate::JobRate;
pub use result::FromResult;
pub use schedule::JobSchedule;
#[doc(hidden)]
pub use schedule::periodic_task;
pub use schema::SchemaFn;
#[cfg(feature = "schemars")]
#[doc(hidden)]
pub use schema::{OpenSchema, SchemaOf, open};
pub use shape::{PayloadField, PayloadForm, PayloadShape};
#[doc(hidden)]
pub use unique::UniqueFields;
pub use versions::{Earlier, Upgrade};
pub(crate) use versions::{Mismatch, read};

/// Types of Go whose JSON is not what serde makes of Rust's; see [`GoJson`].
pub mod go {
    pub use super::codec::{Nanos, bytes};
}
