//! [`ZeroForNull`]: a deserializer that reads `null` as Go does.

use std::fmt;
use std::iter::empty;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// Wraps whatever takes part in reading: a deserializer, a visitor, a seed, an access to members. Where a value is
/// expected that has a zero in Go, `null` is that zero; everywhere else it is what serde makes of it.
pub(super) struct ZeroForNull<T>(pub(super) T);

/// A value that has a zero in Go: which method of a deserializer reads it.
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Str,
    String,
    Bytes,
    ByteBuf,
    Seq,
    Tuple(usize),
    TupleStruct(&'static str, usize),
    Map,
    Struct(&'static str, &'static [&'static str]),
}

/// Visits `null` as the zero of a kind, and anything else by reading it as that kind.
struct OrZero<V> {
    kind: Kind,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OrZero<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        let visitor = self.visitor;
        match self.kind {
            Kind::Bool => visitor.visit_bool(false),
            Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 | Kind::I128 => visitor.visit_i64(0),
            Kind::U8 | Kind::U16 | Kind::U32 | Kind::U64 | Kind::U128 => visitor.visit_u64(0),
            Kind::F32 | Kind::F64 => visitor.visit_f64(0.0),
            Kind::Str | Kind::String => visitor.visit_str(""),
            Kind::Bytes | Kind::ByteBuf => visitor.visit_bytes(&[]),
            Kind::Seq | Kind::Tuple(_) | Kind::TupleStruct(..) => {
                visitor.visit_seq(SeqDeserializer::new(empty::<()>()))
            }
            Kind::Map | Kind::Struct(..) => visitor.visit_map(MapDeserializer::new(empty::<((), ())>())),
        }
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        let visitor = ZeroForNull(self.visitor);
        match self.kind {
            Kind::Bool => from.deserialize_bool(visitor),
            Kind::I8 => from.deserialize_i8(visitor),
            Kind::I16 => from.deserialize_i16(visitor),
            Kind::I32 => from.deserialize_i32(visitor),
            Kind::I64 => from.deserialize_i64(visitor),
            Kind::I128 => from.deserialize_i128(visitor),
            Kind::U8 => from.deserialize_u8(visitor),
            Kind::U16 => from.deserialize_u16(visitor),
            Kind::U32 => from.deserialize_u32(visitor),
            Kind::U64 => from.deserialize_u64(visitor),
            Kind::U128 => from.deserialize_u128(visitor),
            Kind::F32 => from.deserialize_f32(visitor),
            Kind::F64 => from.deserialize_f64(visitor),
            Kind::Str => from.deserialize_str(visitor),
            Kind::String => from.deserialize_string(visitor),
            Kind::Bytes => from.deserialize_bytes(visitor),
            Kind::ByteBuf => from.deserialize_byte_buf(visitor),
            Kind::Seq => from.deserialize_seq(visitor),
            Kind::Tuple(len) => from.deserialize_tuple(len, visitor),
            Kind::TupleStruct(name, len) => from.deserialize_tuple_struct(name, len, visitor),
            Kind::Map => from.deserialize_map(visitor),
            Kind::Struct(name, fields) => from.deserialize_struct(name, fields, visitor),
        }
    }
}

/// Implements methods that read a value which may be `null`.
macro_rules! or_zero {
    ($($method:ident($($argument:ident: $type:ty),*) => $kind:expr,)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_option(OrZero { kind: $kind, visitor })
        }
    )*};
}

/// Implements methods that hand on to what is wrapped.
macro_rules! as_is {
    ($($method:ident($($argument:ident: $type:ty),*),)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($argument,)* ZeroForNull(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ZeroForNull<D> {
    type Error = D::Error;

    or_zero! {
        deserialize_bool() => Kind::Bool,
        deserialize_i8() => Kind::I8,
        deserialize_i16() => Kind::I16,
        deserialize_i32() => Kind::I32,
        deserialize_i64() => Kind::I64,
        deserialize_i128() => Kind::I128,
        deserialize_u8() => Kind::U8,
        deserialize_u16() => Kind::U16,
        deserialize_u32() => Kind::U32,
        deserialize_u64() => Kind::U64,
        deserialize_u128() => Kind::U128,
        deserialize_f32() => Kind::F32,
        deserialize_f64() => Kind::F64,
        deserialize_str() => Kind::Str,
        deserialize_string() => Kind::String,
        deserialize_bytes() => Kind::Bytes,
        deserialize_byte_buf() => Kind::ByteBuf,
        deserialize_seq() => Kind::Seq,
        deserialize_tuple(len: usize) => Kind::Tuple(len),
        deserialize_tuple_struct(name: &'static str, len: usize) => Kind::TupleStruct(name, len),
        deserialize_map() => Kind::Map,
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) => Kind::Struct(name, fields),
    }

    as_is! {
        deserialize_any(),
        deserialize_char(),
        deserialize_option(),
        deserialize_unit(),
        deserialize_unit_struct(name: &'static str),
        deserialize_newtype_struct(name: &'static str),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]),
        deserialize_identifier(),
        deserialize_ignored_any(),
    }
}

/// Implements methods that take a value as it is.
macro_rules! value {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ZeroForNull<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(formatter)
    }

    value! {
        visit_bool: bool,
        visit_i64: i64,
        visit_i128: i128,
        visit_u64: u64,
        visit_u128: u128,
        visit_f64: f64,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_string: String,
        visit_bytes: &[u8],
        visit_borrowed_bytes: &'de [u8],
        visit_byte_buf: Vec<u8>,
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(ZeroForNull(from))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(ZeroForNull(from))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(ZeroForNull(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(ZeroForNull(members))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(ZeroForNull(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for ZeroForNull<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(ZeroForNull(from))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for ZeroForNull<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(ZeroForNull(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ZeroForNull<A> {
    type Error = A::Error;

    // Keys are texts, and no key is `null`.
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(ZeroForNull(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for ZeroForNull<A> {
    type Error = A::Error;
    type Variant = ZeroForNull<A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(seed)?;
        Ok((value, ZeroForNull(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for ZeroForNull<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.0.newtype_variant_seed(ZeroForNull(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, ZeroForNull(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, ZeroForNull(visitor))
    }
}
