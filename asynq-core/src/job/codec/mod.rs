//! How payloads become bytes: the trait [`Codec`], and those that come with this crate.

#[cfg(feature = "cbor")]
mod cbor;
mod codec;
#[cfg(feature = "zstd")]
mod compressed;
#[cfg(feature = "encryption")]
mod encrypted;
mod error;
mod explain;
pub(super) mod go_json;
mod json;
#[cfg(feature = "msgpack")]
mod msgpack;
#[cfg(feature = "protobuf")]
mod protobuf;
mod raw;
mod whole;

#[cfg(feature = "cbor")]
pub use cbor::Cbor;
pub use codec::Codec;
#[cfg(feature = "zstd")]
pub use compressed::Compressed;
#[cfg(feature = "encryption")]
pub use encrypted::Encrypted;
pub use error::CodecError;
pub use go_json::{GoJson, Nanos, bytes};
pub use json::Json;
#[cfg(feature = "msgpack")]
pub use msgpack::MsgPack;
#[cfg(feature = "protobuf")]
pub use protobuf::Protobuf;
pub use raw::Raw;
pub use whole::{Transparent, Whole};

#[cfg(test)]
mod tests;
