//! [`GoJson`]: JSON as Go's `encoding/json` writes and reads it.
//!
//! JSON is not one format. The same value gives other bytes in Go than by `serde_json`: `<`, `>`, `&`, U+2028 and
//! U+2029 are escaped, `1.0` is `1`, the keys of maps are sorted. That matters where bytes are compared, as by the
//! uniqueness lock, which is a hash of the payload. And what Go writes for a slice or a map that is nil is `null`,
//! which serde takes for no list at all.

mod number;
mod read;
mod types;
mod write;

use ::bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use types::{Nanos, bytes};

use super::explain::{json_error, path};
use super::{Codec, CodecError};

/// JSON as Go's `encoding/json` has it: for jobs that Go programs enqueue or handle, too.
///
/// - Written: the bytes that Go writes for a struct with the same fields. Maps are sorted by key; a number that is
///   not finite is refused, as in Go.
/// - Read: `null` is an empty list, map or text, zero, or `false`, wherever such a value is expected, as Go leaves
///   a variable at its zero value. A field that Go leaves out (`omitempty`) needs `#[serde(default)]`.
/// - A `[]byte` of Go is text in base64: `#[serde(with = "asynq::go::bytes")]` on a `Vec<u8>`. A `time.Duration` is
///   a number of nanoseconds: [`Nanos`]. A `time.Time` is RFC 3339, as `jiff::Timestamp` reads and writes it.
///
/// # Examples
///
/// ```
/// use asynq_core::job::{Codec, GoJson};
///
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// struct Mail {
///     to: Vec<String>,
///     body: String,
/// }
///
/// let mail = Mail { to: vec![], body: "<b>R&D</b>".to_owned() };
/// let written = GoJson::encode(&mail).unwrap();
/// assert_eq!(written, r#"{"to":[],"body":"\u003cb\u003eR\u0026D\u003c/b\u003e"}"#);
///
/// let read: Mail = GoJson::decode(br#"{"to":null,"body":"<b>R&D</b>"}"#).unwrap();
/// assert_eq!(read, mail);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GoJson;

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Codec<T> for GoJson {
    fn encode(value: &T) -> Result<Bytes, CodecError> {
        encode(value)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        read(bytes).map_err(|error| {
            let mut again = serde_json::Deserializer::from_slice(bytes);
            json_error(&error, path::<T, _>(read::ZeroForNull(&mut again)))
        })
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(read::ZeroForNull(&mut deserializer))?;
    deserializer.end()?;
    Ok(value)
}

/// The bytes of a value that need not be read back.
pub(in crate::job) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, CodecError> {
    write::to_vec(value).map(Bytes::from).map_err(CodecError::new)
}

#[cfg(test)]
mod tests;
