//! [`Payload`]: what the type of a job's argument must be.
//!
//! It stands between the generated code and serde, so that a type that cannot travel is one error at that type,
//! which says what to write, and not serde's errors about everything inside it.

use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize, Serializer};

/// A type that an argument of a job may have: whatever serde can write and read, and that owns its data. Every such
/// type is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a job argument",
    label = "cannot be stored with a task",
    note = "arguments travel through Redis, so their types implement serde's `Serialize` and `Deserialize`",
    note = "for a connection pool, a client or settings write `State<{Self}>`, or mark the argument `#[state]` if its \
            type implements `FromContext`"
)]
pub trait Payload: Sized {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// As serde's.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// As serde's.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Payload for T {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// The `N`th parameter of a job's function is in the payload. `#[job]` implements it for each such parameter, on a
/// private type: the one place where a type that is no [`Payload`] is reported.
pub trait Argument<const N: usize> {
    /// The type of the field.
    type Value: Payload;
}

/// What generated fields name in `#[serde(serialize_with = "…")]`.
///
/// # Errors
///
/// As serde's.
pub fn write_argument<J: Argument<N>, const N: usize, S: Serializer>(
    value: &J::Value,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// What generated fields name in `#[serde(deserialize_with = "…")]`.
///
/// # Errors
///
/// As serde's.
pub fn read_argument<'de, J: Argument<N>, const N: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<J::Value, D::Error> {
    J::Value::read(deserializer)
}
