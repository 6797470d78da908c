//! Payload ⇄ bytes.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Turns a payload into bytes and back.
pub trait Codec<T> {
    /// The bytes of a value.
    ///
    /// # Errors
    ///
    /// When the value has no form in this encoding.
    fn encode(value: &T) -> Result<Bytes, CodecError>;

    /// The value of some bytes.
    ///
    /// # Errors
    ///
    /// When they are not the encoding of a `T`.
    fn decode(bytes: &[u8]) -> Result<T, CodecError>;
}

/// A value could not be encoded, or bytes not decoded; the cause is its source.
#[derive(Debug, thiserror::Error)]
#[error("payload has the wrong form")]
pub struct CodecError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl CodecError {
    /// A failure with this cause.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// JSON by `serde_json`: an object with one field for each argument of the job.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    fn encode(value: &T) -> Result<Bytes, CodecError> {
        serde_json::to_vec(value).map(Bytes::from).map_err(CodecError::new)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        serde_json::from_slice(bytes).map_err(CodecError::new)
    }
}
