//! [`Codec`]: payload ⇄ bytes.

use bytes::Bytes;

use super::CodecError;
use crate::task::Layers;

/// Turns a payload into bytes and back: [`Json`](super::Json) unless a job says otherwise by `#[job(codec = …)]`.
///
/// # Examples
///
/// One of your own, for one type or for many:
///
/// ```
/// use asynq_core::job::{Codec, CodecError};
/// use bytes::Bytes;
///
/// /// Comma-separated values.
/// struct Csv;
///
/// impl Codec<Vec<u32>> for Csv {
///     const NAME: Option<&'static str> = Some("csv");
///
///     fn encode(value: &Vec<u32>) -> Result<Bytes, CodecError> {
///         let numbers: Vec<String> = value.iter().map(u32::to_string).collect();
///         Ok(numbers.join(",").into())
///     }
///
///     fn decode(bytes: &[u8]) -> Result<Vec<u32>, CodecError> {
///         let text = std::str::from_utf8(bytes).map_err(CodecError::new)?;
///         let number = |(position, number): (usize, &str)| {
///             number.parse().map_err(|error| CodecError::new(error).in_field(format!("[{position}]")))
///         };
///         text.split(',').enumerate().map(number).collect()
///     }
/// }
///
/// assert_eq!(Csv::encode(&vec![1, 2]).unwrap(), "1,2");
/// let error = Csv::decode(b"1,x").unwrap_err();
/// assert_eq!(error.to_string(), "field `[1]`");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot encode `{T}`",
    label = "no codec of `{T}`",
    note = "`Json`, `GoJson`, `MsgPack` and `Cbor` encode what implements serde's `Serialize` and `Deserialize`",
    note = "`Protobuf` encodes a message of prost, and `Raw` bytes or text: a job has them as its only argument and \
            says `#[job(codec = …, transparent)]`",
    note = "a codec of your own implements `asynq::Codec<{T}>`"
)]
pub trait Codec<T> {
    /// What tasks are marked with, in the header [`CODEC_HEADER`](crate::wire::CODEC_HEADER), so that a job with another
    /// codec refuses them and does not make something of their bytes. `None` marks nothing, as JSON does.
    const NAME: Option<&'static str> = None;

    /// What the client is asked to do to the bytes before it stores them.
    const LAYERS: Layers = Layers::NONE;

    /// The bytes of a value.
    ///
    /// # Errors
    ///
    /// When the value has no form in this encoding.
    fn encode(value: &T) -> Result<Bytes, CodecError>;

    /// The value of some bytes, which may be anything: it must neither panic nor ask for memory that the bytes do not
    /// account for.
    ///
    /// # Errors
    ///
    /// When they are not the encoding of a `T`.
    fn decode(bytes: &[u8]) -> Result<T, CodecError>;
}
