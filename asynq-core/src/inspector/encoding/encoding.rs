//! [`Encoding`]: how bytes are written that are neither text nor JSON, and the same as JSON.

use std::fmt;

use super::{cbor, msgpack, protobuf};
use crate::task::Headers;
use crate::wire::CODEC_HEADER;

/// How bytes are written that are neither text nor JSON.
///
/// # Examples
///
/// ```
/// use asynq_core::inspector::Encoding;
///
/// assert_eq!(Encoding::MessagePack.to_json(b"\x82\xa2to\xa3ann\xa1n\x07")?, r#"{"to":"ann","n":7}"#);
/// assert_eq!(Encoding::Protobuf.to_json(b"\x08\x07\x12\x03ann")?, r#"{"1":7,"2":"ann"}"#);
/// assert_eq!(Encoding::guess(b"\xa1\x61n\x07"), Some(Encoding::Cbor));
/// # Ok::<(), asynq_core::inspector::EncodingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// MessagePack.
    MessagePack,
    /// CBOR (RFC 8949).
    Cbor,
    /// A message of protocol buffers. Nothing in it tells what its fields are called, only their numbers.
    Protobuf,
}

impl Encoding {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::MessagePack, Self::Cbor, Self::Protobuf];

    /// Its word, which is also how our codecs mark payloads: `msgpack`, `cbor` or `protobuf`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessagePack => "msgpack",
            Self::Cbor => "cbor",
            Self::Protobuf => "protobuf",
        }
    }

    /// Its name: `MessagePack`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessagePack => "MessagePack",
            Self::Cbor => "CBOR",
            Self::Protobuf => "protobuf",
        }
    }

    /// What the headers of a task say of its payload; `None` where no codec has marked it, or one that is unknown here.
    pub fn marked(headers: &Headers) -> Option<Self> {
        let mark = headers.get(CODEC_HEADER)?;
        Self::ALL.into_iter().find(|encoding| encoding.as_str() == mark)
    }

    /// What bytes seem to be that nobody has marked: a map or a list of MessagePack or CBOR, or a message of protobuf, from
    /// the first byte to the last. Short ones may be something else all the same.
    pub fn guess(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let is_likely = |encoding: &Self| match encoding {
            Self::MessagePack => matches!(first, 0x80..=0x9f | 0xdc..=0xdf),
            Self::Cbor => matches!(first, 0x80..=0xbf),
            Self::Protobuf => true,
        };
        Self::ALL.into_iter().filter(is_likely).find(|encoding| encoding.to_json(bytes).is_ok())
    }

    /// The same as JSON: names in their order, numbers with all their digits. Bytes that are no text are `base64:` and
    /// that; names that are no text are what JSON they would be.
    ///
    /// Of protobuf, names are the numbers of fields, which come twice where they are repeated; numbers are as they are
    /// without a sign, those of fixed length hexadecimal and as floating point; and what may be a text or a message is
    /// taken for what it looks like.
    ///
    /// # Errors
    ///
    /// When the bytes are not written so, or more than 100 values are within one another.
    pub fn to_json(self, bytes: &[u8]) -> Result<String, EncodingError> {
        let read = match self {
            Self::MessagePack => msgpack::to_json(bytes),
            Self::Cbor => cbor::to_json(bytes),
            Self::Protobuf => protobuf::to_json(bytes),
        };
        read.map_err(|wrong| EncodingError { encoding: self, wrong })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes are not written in this encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodingError {
    encoding: Encoding,
    wrong: Wrong,
}

/// What is wrong with some bytes, and how many come before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

impl fmt::Display for EncodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is no {}: {} at byte {}", self.encoding, self.wrong.what, self.wrong.at)
    }
}

impl std::error::Error for EncodingError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[track_caller]
    fn check(encoding: Encoding, bytes: &[u8], expected: &str) {
        match encoding.to_json(bytes) {
            Ok(json) => assert_eq!(json, expected, "{bytes:02x?}"),
            Err(error) => assert_eq!(error.to_string(), expected, "{bytes:02x?}"),
        }
    }

    #[test]
    fn messagepack_is_read() {
        for (bytes, json) in [
            (&b"\xc0"[..], "null"),
            (b"\xc3", "true"),
            (b"\xe0", "-32"),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808"),
            (b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "1.5"),
            (b"\xca\x7f\xc0\x00\x00", "\"NaN\""),
            (b"\xd9\x03a\"b", r#""a\"b""#),
            (b"\xc4\x02\xff\x00", "\"base64:/wA=\""),
            (b"\xa1\xff", "\"base64:/w==\""),
            (b"\x93\x01\x90\x80", "[1,[],{}]"),
            (b"\x83\xa1a\x01\x07\xc2\x91\x01\xc0", r#"{"a":1,"7":false,"[1]":null}"#),
            (b"\xd6\xff\x00\x00\x00\x00", "\"1970-01-01T00:00:00Z\""),
            (b"\xd4\x05\xff", r#"{"extension":5,"data":"base64:/w=="}"#),
            (b"", "it is no MessagePack: it ends too early at byte 0"),
            (b"\x82\xa1a", "it is no MessagePack: it ends too early at byte 3"),
            (b"\xc1", "it is no MessagePack: a byte that means nothing at byte 1"),
            (b"\x01\x02", "it is no MessagePack: more follows at byte 1"),
        ] {
            check(Encoding::MessagePack, bytes, json);
        }
    }

    #[test]
    fn cbor_is_read() {
        for (bytes, json) in [
            (&b"\x18\x2a"[..], "42"),
            (b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff", "-18446744073709551616"),
            (b"\xf9\x3e\x00", "1.5"),
            (b"\xf9\x00\x01", "5.960464477539063e-8"),
            (b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00", "\"inf\""),
            (b"\xf6", "null"),
            (b"\xf7", "null"),
            (b"\xf0", "\"simple(16)\""),
            (b"\x7f\x61a\x61b\xff", "\"ab\""),
            (b"\x41\xff", "\"base64:/w==\""),
            (b"\x9f\x01\x82\x02\x03\xff", "[1,[2,3]]"),
            (b"\xbf\x61a\x01\x02\x03\xff", r#"{"a":1,"2":3}"#),
            (b"\xc1\x00", "0"),
            (b"\xff", "it is no CBOR: an end of nothing at byte 1"),
            (b"\xa1\x61a\xff", "it is no CBOR: an end of nothing at byte 4"),
            (b"\x1c", "it is no CBOR: a byte that means nothing at byte 1"),
        ] {
            check(Encoding::Cbor, bytes, json);
        }
    }

    #[test]
    fn fields_of_protobuf_are_read() {
        for (bytes, json) in [
            (&b""[..], "{}"),
            (b"\x08\x96\x01\x08\x01", r#"{"1":150,"1":1}"#),
            (b"\x12\x07testing", r#"{"2":"testing"}"#),
            (b"\x1a\x03\x08\x96\x01", r#"{"3":{"1":150}}"#),
            (b"\x1a\x00", r#"{"3":""}"#),
            (b"\x22\x02\xff\xff", r#"{"4":"base64://8="}"#),
            (b"\x09\x00\x00\x00\x00\x00\x00\xf8\x3f", r#"{"1":"0x3ff8000000000000 (1.5)"}"#),
            (b"\x0d\x00\x00\xc0\x3f", r#"{"1":"0x3fc00000 (1.5)"}"#),
            (b"\x00\x01", "it is no protobuf: a field without a number at byte 1"),
            (b"\x0f", "it is no protobuf: a byte that means nothing at byte 1"),
            (b"\x08", "it is no protobuf: it ends too early at byte 1"),
            (b"\x12\x05abc", "it is no protobuf: it ends too early at byte 2"),
        ] {
            check(Encoding::Protobuf, bytes, json);
        }
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        for (encoding, deep) in [
            (Encoding::MessagePack, b"\x91".repeat(100_000)),
            (Encoding::MessagePack, b"\xdd\xff\xff\xff\xff".repeat(1_000)),
            (Encoding::Cbor, b"\x81".repeat(100_000)),
            (Encoding::Cbor, b"\xc1".repeat(100_000)),
            (Encoding::Cbor, b"\x9f".repeat(100_000)),
        ] {
            assert!(encoding.to_json(&deep).is_err());
        }
    }

    #[test]
    fn marks_are_known_and_the_rest_is_guessed() {
        let marked = |mark: &str| Encoding::marked(&[(CODEC_HEADER.to_owned(), mark.to_owned())].into());
        assert_eq!(marked("msgpack"), Some(Encoding::MessagePack));
        assert_eq!((marked("odd"), Encoding::marked(&Headers::new())), (None, None));
        for (bytes, guess) in [
            (&b"\x81\xa1a\x01"[..], Some(Encoding::MessagePack)),
            (b"\xa1\x61a\x01", Some(Encoding::Cbor)),
            (b"\x08\x05", Some(Encoding::Protobuf)),
            (b"\x00\xff\x10\xc0", None),
            (b"", None),
        ] {
            assert_eq!(Encoding::guess(bytes), guess, "{bytes:02x?}");
        }
    }

    /// MessagePack and CBOR of a value.
    fn encoded(value: &Value) -> [(Encoding, Vec<u8>); 2] {
        let (mut msgpack, mut cbor) = (Vec::new(), Vec::new());
        write(value, &mut msgpack, &mut cbor);
        [(Encoding::MessagePack, msgpack), (Encoding::Cbor, cbor)]
    }

    fn write(value: &Value, msgpack: &mut Vec<u8>, cbor: &mut Vec<u8>) {
        let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
        let mut head = |packed: u8, major: u8, count: usize| {
            msgpack.extend([&[packed][..], &length(count)].concat());
            cbor.extend([&[(major << 5) | 0x1a][..], &length(count)].concat());
        };
        match value {
            Value::Null => (msgpack.push(0xc0), cbor.push(0xf6)).0,
            Value::Bool(is) => (msgpack.push(0xc2 | u8::from(*is)), cbor.push(0xf4 | u8::from(*is))).0,
            Value::Number(number) => {
                let number = number.as_i64().unwrap();
                msgpack.extend([&[0xd3][..], &number.to_be_bytes()].concat());
                let (major, size) = if number < 0 { (0x3b, !number) } else { (0x1b, number) };
                cbor.extend([&[major][..], &size.to_be_bytes()].concat());
            }
            Value::String(text) => {
                head(0xdb, 3, text.len());
                msgpack.extend(text.bytes());
                cbor.extend(text.bytes());
            }
            Value::Array(items) => {
                head(0xdd, 4, items.len());
                for item in items {
                    write(item, msgpack, cbor);
                }
            }
            Value::Object(fields) => {
                head(0xdf, 5, fields.len());
                for (name, value) in fields {
                    write(&Value::String(name.clone()), msgpack, cbor);
                    write(value, msgpack, cbor);
                }
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,6}|[\\x00-\\x1f\"]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..4)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(value in value()) {
            for (encoding, bytes) in encoded(&value) {
                let json = encoding.to_json(&bytes).unwrap();
                prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value.clone());
                prop_assert!(bytes.is_empty() || encoding.to_json(&bytes[..bytes.len() - 1]).is_err());
            }
        }

        #[test]
        fn whatever_is_read_is_json(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            for encoding in Encoding::ALL {
                if let Ok(json) = encoding.to_json(&bytes) {
                    prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{}", json);
                }
            }
        }
    }
}
