//! [`Cbor`]: CBOR by `ciborium`.

use bytes::Bytes;
use ciborium::de::{Error, from_reader_with_recursion_limit};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::explain::{PathIn, explained, without_values};
use super::{Codec, CodecError};

/// CBOR (RFC 8949): a map with one entry for each argument of the job, by name, so that arguments can be added as in JSON.
///
/// ```
/// use asynq_core::job::{Cbor, Codec};
///
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// struct Resize {
///     width: u32,
/// }
///
/// let bytes = Cbor::encode(&Resize { width: 64 }).unwrap();
/// assert_eq!(bytes.as_ref(), b"\xa1\x65width\x18\x40");
/// assert_eq!(<Cbor as Codec<Resize>>::decode(&bytes).unwrap(), Resize { width: 64 });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cbor;

/// Lists and maps in one another.
const DEEPEST: usize = 128;

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Codec<T> for Cbor {
    const NAME: Option<&'static str> = Some("cbor");

    fn encode(value: &T) -> Result<Bytes, CodecError> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).map_err(|error| match error {
            ciborium::ser::Error::Io(error) => CodecError::new(error),
            ciborium::ser::Error::Value(message) => CodecError::new(message),
        })?;
        Ok(bytes.into())
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        let mut rest = bytes;
        let read = from_reader_with_recursion_limit(&mut rest, DEEPEST);
        let offset = bytes.len().saturating_sub(rest.len());
        match read {
            Ok(value) if rest.is_empty() => Ok(value),
            Ok(_) => Err(CodecError::new("more bytes follow the value").at_byte(offset)),
            Err(error) => {
                let path = from_reader_with_recursion_limit::<PathIn<T>, _>(bytes, DEEPEST);
                Err(explained(message(&error), path.ok().and_then(|read| read.path)).at_byte(offset))
            }
        }
    }
}

fn message(error: &Error<std::io::Error>) -> String {
    match error {
        Error::Io(_) => "it ends too early".to_owned(),
        Error::Syntax(_) => "not CBOR".to_owned(),
        Error::Semantic(_, message) => without_values(message),
        Error::RecursionLimitExceeded => format!("nested more than {DEEPEST} deep"),
    }
}
