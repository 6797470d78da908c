//! What the messages of this folder share: proto3 fields as Go writes them, and unknown fields kept.
//!
//! Written by hand on prost's encoding functions, for two things that its derive does not do: a map entry always
//! carries its key and its value, also empty ones, as Go writes them; and fields that we do not know survive.

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, decode_varint, encode_key, encode_varint, skip_field};

/// The bytes are not the protobuf message they should be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("not a valid {message}")]
pub struct DecodeError {
    pub(crate) message: &'static str,
    pub(crate) source: prost::DecodeError,
}

/// Defines a message struct and its `prost::Message`: fields are `number name: kind(Type)`.
macro_rules! message {
    ($(#[$doc:meta])* pub struct $message:ident {
        $($(#[$field_doc:meta])* $tag:literal $field:ident: $($kind:ident)::+ ($ty:ty),)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $message {
            $($(#[$field_doc])* pub $field: $ty,)*
            /// Fields that this version does not know, as they were read; written back unchanged.
            pub unknown: Vec<u8>,
        }

        impl $message {
            /// The protobuf bytes, fields in ascending order.
            pub fn encode(&self) -> Vec<u8> {
                prost::Message::encode_to_vec(self)
            }

            /// Reads protobuf bytes.
            ///
            /// # Errors
            ///
            /// [`DecodeError`](crate::wire::DecodeError) when they are not protobuf, a field has another kind, or text is not UTF-8.
            pub fn decode(bytes: impl prost::bytes::Buf) -> Result<Self, $crate::wire::DecodeError> {
                <Self as prost::Message>::decode(bytes).map_err(|source| $crate::wire::DecodeError {
                    message: stringify!($message),
                    source,
                })
            }
        }

        impl prost::Message for $message {
            fn encode_raw(&self, buf: &mut impl prost::bytes::BufMut) {
                $(if self.$field != <$ty>::default() {
                    $($kind)::+::encode($tag, &self.$field, buf);
                })*
                buf.put_slice(&self.unknown);
            }

            fn merge_field(
                &mut self,
                tag: u32,
                wire_type: prost::encoding::WireType,
                buf: &mut impl prost::bytes::Buf,
                ctx: prost::encoding::DecodeContext,
            ) -> Result<(), prost::DecodeError> {
                match tag {
                    $($tag if wire_type == const { $crate::wire::protobuf::wire_type_of(stringify!($($kind)::+)) } =>
                        $($kind)::+::merge(wire_type, &mut self.$field, buf, ctx).map_err(|mut error| {
                        error.push(stringify!($message), stringify!($field));
                        error
                    }),)*
                    _ => $crate::wire::protobuf::keep_unknown(tag, wire_type, buf, ctx, &mut self.unknown),
                }
            }

            fn encoded_len(&self) -> usize {
                0 $(+ if self.$field == <$ty>::default() { 0 } else {
                    $($kind)::+::encoded_len($tag, &self.$field)
                })* + self.unknown.len()
            }

            fn clear(&mut self) {
                *self = Self::default();
            }
        }
    };
}
pub(super) use message;

message! {
    /// `google.protobuf.Timestamp`.
    pub struct WireTimestamp {
        /// Seconds since the Unix epoch.
        1 seconds: prost::encoding::int64(i64),
        /// The nanoseconds of that second, never negative.
        2 nanos: prost::encoding::int32(i32),
    }
}

impl WireTimestamp {
    /// Go's zero time, year 1: how Go writes "never".
    pub fn never() -> Self {
        Self { seconds: -62_135_596_800, ..Self::default() }
    }

    /// The instant, or nothing for Go's zero time and for what no calendar holds.
    pub fn instant(&self) -> Option<jiff::Timestamp> {
        if *self == Self::never() {
            return None;
        }
        jiff::Timestamp::new(self.seconds, self.nanos).ok()
    }
}

impl From<jiff::Timestamp> for WireTimestamp {
    fn from(at: jiff::Timestamp) -> Self {
        let seconds = crate::clock::floor_seconds(at);
        let nanos = (at.as_nanosecond() - i128::from(seconds) * 1_000_000_000).try_into().unwrap_or(0);
        Self { seconds, nanos, ..Self::default() }
    }
}

/// How a field of this kind is laid out. One that comes in another layout is kept as an unknown field, as Go does.
pub(super) const fn wire_type_of(kind: &str) -> WireType {
    match kind.as_bytes() {
        // int32, int64, bool; but not the maps and lists of them.
        [.., b'3', b'2'] | [.., b'6', b'4'] | [.., b'b', b'o', b'o', b'l'] => WireType::Varint,
        _ => WireType::LengthDelimited,
    }
}

/// Copies a field that the message does not define, key and all.
pub(super) fn keep_unknown(
    tag: u32,
    wire_type: WireType,
    buf: &mut impl Buf,
    ctx: DecodeContext,
    into: &mut Vec<u8>,
) -> Result<(), prost::DecodeError> {
    let mut field = Vec::new();
    encode_key(tag, wire_type, &mut field);
    match wire_type {
        WireType::Varint => encode_varint(decode_varint(buf)?, &mut field),
        WireType::ThirtyTwoBit | WireType::SixtyFourBit => {
            let mut raw = Vec::new();
            let width = if wire_type == WireType::ThirtyTwoBit { 4 } else { 8 };
            if buf.remaining() < width {
                // Reports the underflow in prost's words.
                return skip_field(wire_type, tag, buf, ctx);
            }
            raw.put(buf.take(width));
            field.extend_from_slice(&raw);
        }
        WireType::LengthDelimited => {
            let mut raw = Vec::new();
            prost::encoding::bytes::merge(wire_type, &mut raw, buf, ctx)?;
            encode_varint(raw.len() as u64, &mut field);
            field.extend_from_slice(&raw);
        }
        // Groups are a proto2 form that asynq never had: read over, not kept.
        WireType::StartGroup | WireType::EndGroup => return skip_field(wire_type, tag, buf, ctx),
    }
    into.extend_from_slice(&field);
    Ok(())
}

/// `map<string, …>` with key and value always written.
macro_rules! map_kind {
    ($name:ident, $value:ident, $ty:ty) => {
        pub(super) mod $name {
            use super::{Buf, BufMut, DecodeContext, WireType, encode_key, encode_varint};
            use prost::encoding::{encoded_len_varint, key_len, string, $value as value_kind};
            use std::collections::BTreeMap;

            fn entry_len(key: &String, value: &$ty) -> usize {
                string::encoded_len(1, key) + value_kind::encoded_len(2, value)
            }

            pub(in crate::wire) fn encode(tag: u32, map: &BTreeMap<String, $ty>, buf: &mut impl BufMut) {
                for (key, value) in map {
                    encode_key(tag, WireType::LengthDelimited, buf);
                    encode_varint(entry_len(key, value) as u64, buf);
                    string::encode(1, key, buf);
                    value_kind::encode(2, value, buf);
                }
            }

            pub(in crate::wire) fn merge(
                wire_type: WireType,
                map: &mut BTreeMap<String, $ty>,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Result<(), prost::DecodeError> {
                prost::encoding::check_wire_type(WireType::LengthDelimited, wire_type)?;
                prost::encoding::btree_map::merge(string::merge, value_kind::merge, map, buf, ctx)
            }

            pub(in crate::wire) fn encoded_len(tag: u32, map: &BTreeMap<String, $ty>) -> usize {
                map.iter()
                    .map(|(key, value)| {
                        let len = entry_len(key, value);
                        key_len(tag) + encoded_len_varint(len as u64) + len
                    })
                    .sum()
            }
        }
    };
}
map_kind!(string_map, string, String);
map_kind!(int32_map, int32, i32);

/// `repeated string`.
pub(super) mod strings {
    pub(in crate::wire) use prost::encoding::string::{
        encode_repeated as encode, encoded_len_repeated as encoded_len, merge_repeated as merge,
    };
}

/// A time that may be absent.
#[expect(clippy::ref_option, reason = "the functions of every kind have one shape")]
pub(super) mod timestamp {
    use super::{Buf, BufMut, DecodeContext, WireTimestamp, WireType};
    use prost::encoding::message;

    pub(in crate::wire) fn encode(tag: u32, at: &Option<WireTimestamp>, buf: &mut impl BufMut) {
        if let Some(at) = at {
            message::encode(tag, at, buf);
        }
    }

    pub(in crate::wire) fn merge(
        wire_type: WireType,
        at: &mut Option<WireTimestamp>,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        message::merge(wire_type, at.get_or_insert_default(), buf, ctx)
    }

    pub(in crate::wire) fn encoded_len(tag: u32, at: &Option<WireTimestamp>) -> usize {
        at.as_ref().map_or(0, |at| message::encoded_len(tag, at))
    }
}
