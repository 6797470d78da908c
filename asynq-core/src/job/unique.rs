//! [`UniqueFields`]: what `#[job(unique_by(…))]` expands to.

use bytes::Bytes;
use serde::Serialize;

use super::CodecError;
use super::codec::go_json;

/// The fields of a job that name its lock, as a JSON object: in one form, whatever the codec of the job. It is the one
/// that Go writes, with maps sorted by key.
#[derive(Debug, Default)]
pub struct UniqueFields {
    json: Vec<u8>,
}

impl UniqueFields {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field. `#[job]` adds them sorted by name.
    ///
    /// # Errors
    ///
    /// When the value cannot be encoded.
    pub fn field(mut self, name: &str, value: &impl Serialize) -> Result<Self, CodecError> {
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
        self.json.extend(go_json::encode(name)?);
        self.json.push(b':');
        self.json.extend(go_json::encode(value)?);
        Ok(self)
    }

    /// The object.
    ///
    /// # Errors
    ///
    /// None: it is what `Job::unique_by` returns.
    pub fn object(mut self) -> Result<Option<Bytes>, CodecError> {
        self.json.push(b'}');
        Ok(Some(self.json.into()))
    }
}
