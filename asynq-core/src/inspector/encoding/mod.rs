//! Payloads that are neither text nor JSON, as people read them: [`Encoding`] makes JSON of MessagePack, CBOR and protobuf,
//! without a type or a descriptor.
//!
//! These readers stand on their own: the codecs of jobs are features that a dashboard has not.

mod cbor;
mod encoding;
mod msgpack;
mod protobuf;
mod reader;

pub use encoding::{Encoding, EncodingError};
