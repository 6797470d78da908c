//! [`MsgPack`]: MessagePack by `rmp-serde`.

use bytes::Bytes;
use rmp_serde::Deserializer;
use rmp_serde::decode::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::explain::{explained, path, without_values};
use super::{Codec, CodecError};

/// MessagePack: a map with one entry for each argument of the job, by name, so that arguments can be added as in JSON.
///
/// ```
/// use asynq_core::job::{Codec, MsgPack};
///
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// struct Resize {
///     width: u32,
/// }
///
/// let bytes = MsgPack::encode(&Resize { width: 64 }).unwrap();
/// assert_eq!(bytes.as_ref(), b"\x81\xa5width\x40");
/// assert_eq!(<MsgPack as Codec<Resize>>::decode(&bytes).unwrap(), Resize { width: 64 });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MsgPack;

/// Lists and maps in one another.
const DEEPEST: usize = 128;

const TOO_DEEP: &str = "nested more than 128 deep";

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Codec<T> for MsgPack {
    const NAME: Option<&'static str> = Some("msgpack");

    fn encode(value: &T) -> Result<Bytes, CodecError> {
        rmp_serde::to_vec_named(value).map(Bytes::from).map_err(CodecError::new)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        if is_too_deep(bytes) {
            return Err(CodecError::new(TOO_DEEP));
        }
        let mut rest = bytes;
        let read = T::deserialize(&mut Deserializer::new(&mut rest));
        let offset = bytes.len().saturating_sub(rest.len());
        match read {
            Ok(value) if rest.is_empty() => Ok(value),
            Ok(_) => Err(CodecError::new("more bytes follow the value").at_byte(offset)),
            Err(error) => {
                let path = path::<T, _>(&mut Deserializer::new(bytes));
                Err(explained(message(&error), path).at_byte(offset))
            }
        }
    }
}

fn message(error: &Error) -> String {
    match error {
        Error::InvalidMarkerRead(_) | Error::InvalidDataRead(_) => "it ends too early".to_owned(),
        // Markers of small values hold the value: `FixPos(5)`.
        Error::TypeMismatch(marker) => {
            let marker = format!("{marker:?}");
            format!("unexpected type {}", marker.split('(').next().unwrap_or_default())
        }
        Error::Syntax(message) | Error::Uncategorized(message) => without_values(message),
        Error::DepthLimitExceeded => TOO_DEEP.to_owned(),
        Error::OutOfRange | Error::LengthMismatch(_) | Error::Utf8Error(_) => error.to_string(),
    }
}

/// Whether lists and maps are nested so deep that reading them could use up the stack. Of variants in one another, `rmp-serde`
/// does not count how many there are.
fn is_too_deep(bytes: &[u8]) -> bool {
    // How many values are still to come in each list or map that is open.
    let mut open: Vec<u64> = Vec::new();
    let mut rest = bytes;
    while let Some((&marker, after)) = rest.split_first() {
        let (values, skipped) = extent(marker, after);
        rest = usize::try_from(skipped).ok().and_then(|skipped| after.get(skipped..)).unwrap_or_default();
        if values > 0 {
            if open.len() == DEEPEST {
                return true;
            }
            open.push(values);
            continue;
        }
        while let Some(left) = open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            open.pop();
        }
        if open.is_empty() {
            break;
        }
    }
    false
}

/// How many values are inside the one that begins with this marker, and how many bytes come before them or are its own.
fn extent(marker: u8, after: &[u8]) -> (u64, u64) {
    let number = |bytes: usize| {
        let digits = after.get(..bytes).unwrap_or_default();
        digits.iter().fold(0_u64, |number, &digit| number << 8 | u64::from(digit))
    };
    match marker {
        0x80..=0x8f => (2 * u64::from(marker & 0x0f), 0),
        0x90..=0x9f => (u64::from(marker & 0x0f), 0),
        0xa0..=0xbf => (0, u64::from(marker & 0x1f)),
        0xc4 | 0xd9 => (0, 1 + number(1)),
        0xc5 | 0xda => (0, 2 + number(2)),
        0xc6 | 0xdb => (0, 4 + number(4)),
        0xc7 => (0, 2 + number(1)),
        0xc8 => (0, 3 + number(2)),
        0xc9 => (0, 5 + number(4)),
        0xcc | 0xd0 => (0, 1),
        0xcd | 0xd1 => (0, 2),
        0xca | 0xce | 0xd2 => (0, 4),
        0xcb | 0xcf | 0xd3 => (0, 8),
        0xd4..=0xd8 => (0, 1 + (1 << (marker - 0xd4))),
        0xdc => (number(2), 2),
        0xdd => (number(4), 4),
        0xde => (2 * number(2), 2),
        0xdf => (2 * number(4), 4),
        _ => (0, 0),
    }
}
