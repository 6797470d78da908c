//! [`Raw`]: bytes as they are.

use bytes::Bytes;

use super::{Codec, CodecError};

/// The payload is the only argument of the job, `Bytes`, `Vec<u8>` or `String`, as it is: for images, for what is
/// encoded already, for tasks of Go programs whose payload is plain text.
///
/// ```
/// use asynq_core::job::{Codec, Raw};
///
/// assert_eq!(Raw::encode(&"<svg/>".to_owned()).unwrap(), "<svg/>");
/// let error = <Raw as Codec<String>>::decode(b"ab\xff").unwrap_err();
/// assert_eq!(error.to_string(), "byte 2");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Raw;

/// What tasks are marked with, whichever type their bytes are of.
const NAME: Option<&str> = Some("raw");

impl Codec<Bytes> for Raw {
    const NAME: Option<&'static str> = NAME;

    fn encode(value: &Bytes) -> Result<Bytes, CodecError> {
        Ok(value.clone())
    }

    fn decode(bytes: &[u8]) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

impl Codec<Vec<u8>> for Raw {
    const NAME: Option<&'static str> = NAME;

    fn encode(value: &Vec<u8>) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(value))
    }

    fn decode(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
        Ok(bytes.to_vec())
    }
}

impl Codec<String> for Raw {
    const NAME: Option<&'static str> = NAME;

    fn encode(value: &String) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(value.as_bytes()))
    }

    fn decode(bytes: &[u8]) -> Result<String, CodecError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            CodecError::new("not text: the bytes are not UTF-8").at_byte(error.valid_up_to())
        })?;
        Ok(text.to_owned())
    }
}
