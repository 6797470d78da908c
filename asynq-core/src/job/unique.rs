//! What `#[job(unique_by(…))]` expands to.

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::{CodecError, go_json};

/// A job that is told apart by some of its arguments. `#[job]` implements it.
pub trait UniqueFields {
    /// Writes these arguments as a struct.
    ///
    /// # Errors
    ///
    /// As serde's.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

struct Fields<'a, J>(&'a J);

impl<J: UniqueFields> Serialize for Fields<'_, J> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// The arguments that name the lock, as JSON: in one form, whatever the codec of the job. It is the one that Go writes,
/// with maps sorted by key.
///
/// # Errors
///
/// When they cannot be encoded.
pub fn unique_by<J: UniqueFields>(job: &J) -> Result<Option<Bytes>, CodecError> {
    go_json::encode(&Fields(job)).map(Some)
}
