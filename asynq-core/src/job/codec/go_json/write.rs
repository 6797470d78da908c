//! The serializer: what Go writes.

use std::fmt::{Display, Write as _};

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::number::float;

/// Why a value has no JSON in Go.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("{0}")]
    Custom(String),
    #[error("a number that is not finite has no JSON")]
    NotFinite,
    #[error("the key of a map must be a text or a whole number")]
    Key,
}

impl serde::ser::Error for WriteError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

type Result<T> = std::result::Result<T, WriteError>;

/// The JSON of a value.
pub(super) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut out = String::new();
    value.serialize(Writer { out: &mut out })?;
    Ok(out.into_bytes())
}

/// Writes one value at the end of a text.
struct Writer<'a> {
    out: &'a mut String,
}

/// Writes the members of a list or of an object.
struct Members<'a> {
    out: &'a mut String,
    first: bool,
    end: &'static str,
}

impl<'a> Members<'a> {
    fn begin(out: &'a mut String, begin: &str, end: &'static str) -> Self {
        out.push_str(begin);
        Self { out, first: true, end }
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.separate();
        value.serialize(Writer { out: self.out })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.separate();
        text(self.out, name);
        self.out.push(':');
        value.serialize(Writer { out: self.out })
    }

    fn finish(self) {
        self.out.push_str(self.end);
    }
}

/// Writes a text as Go does: with what could end a script in HTML, or a line in JavaScript, escaped.
fn text(out: &mut String, value: &str) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a text cannot fail.
                _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Implements methods of a serializer that write a value's own text.
macro_rules! displayed {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<()> {
            self.out.push_str(&value.to_string());
            Ok(())
        }
    )*};
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Members<'a>;
    type SerializeTupleVariant = Members<'a>;
    type SerializeMap = Sorted<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    displayed! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
    }

    fn serialize_f32(self, value: f32) -> Result<()> {
        self.out.push_str(&float(value).ok_or(WriteError::NotFinite)?);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<()> {
        self.out.push_str(&float(value).ok_or(WriteError::NotFinite)?);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<()> {
        text(self.out, value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        text(self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        super::bytes::serialize(value, self)
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let mut object = Members::begin(self.out, "{", "}");
        object.field(variant, value)?;
        object.finish();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'a>> {
        Ok(Members::begin(self.out, "[", "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'a>> {
        Ok(Members::begin(self.out, "[", "]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'a>> {
        Ok(Members::begin(self.out, "[", "]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>> {
        self.out.push('{');
        text(self.out, variant);
        Ok(Members::begin(self.out, ":[", "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Sorted<'a>> {
        Ok(Sorted { out: self.out, entries: Vec::new(), key: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>> {
        Ok(Members::begin(self.out, "{", "}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>> {
        self.out.push('{');
        text(self.out, variant);
        Ok(Members::begin(self.out, ":{", "}}"))
    }
}

/// Implements what lists of all kinds have in common.
macro_rules! list {
    ($($trait:ident::$method:ident,)*) => {$(
        impl $trait for Members<'_> {
            type Ok = ();
            type Error = WriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

list! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

/// Implements what structs of both kinds have in common.
macro_rules! object {
    ($($trait:ident,)*) => {$(
        impl $trait for Members<'_> {
            type Ok = ();
            type Error = WriteError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.field(name, value)
            }

            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

object! { SerializeStruct, SerializeStructVariant, }

/// Writes a map, sorted by key.
struct Sorted<'a> {
    out: &'a mut String,
    entries: Vec<(String, String)>,
    key: Option<String>,
}

impl SerializeMap for Sorted<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(key.serialize(Key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self.key.take().ok_or_else(|| WriteError::custom("a value without a key"))?;
        let mut out = String::new();
        value.serialize(Writer { out: &mut out })?;
        self.entries.push((key, out));
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        self.entries.sort();
        let mut object = Members::begin(self.out, "{", "}");
        for (key, value) in self.entries {
            object.separate();
            text(object.out, &key);
            object.out.push(':');
            object.out.push_str(&value);
        }
        object.finish();
        Ok(())
    }
}

/// Makes the text of a map's key.
struct Key;

/// Implements methods of a serializer of keys that give a value's own text.
macro_rules! key {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<String> {
            Ok(value.to_string())
        }
    )*};
}

/// Implements methods of a serializer of keys that refuse.
macro_rules! no_key {
    ($($method:ident($($type:ty),*) -> $ok:ty,)*) => {$(
        fn $method(self $(, _: $type)*) -> Result<$ok> {
            Err(WriteError::Key)
        }
    )*};
}

type No = Impossible<String, WriteError>;

impl Serializer for Key {
    type Ok = String;
    type Error = WriteError;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    key! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
    }

    no_key! {
        serialize_bool(bool) -> String,
        serialize_f32(f32) -> String,
        serialize_f64(f64) -> String,
        serialize_bytes(&[u8]) -> String,
        serialize_none() -> String,
        serialize_unit() -> String,
        serialize_unit_struct(&'static str) -> String,
        serialize_seq(Option<usize>) -> No,
        serialize_tuple(usize) -> No,
        serialize_tuple_struct(&'static str, usize) -> No,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No,
        serialize_map(Option<usize>) -> No,
        serialize_struct(&'static str, usize) -> No,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No,
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<String> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<String> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String> {
        Err(WriteError::Key)
    }
}
