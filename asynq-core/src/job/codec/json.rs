//! [`Json`]: the codec of a job that names none.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::explain::{json_error, path};
use super::{Codec, CodecError};

/// JSON by `serde_json`: an object with one field for each argument of the job.
#[derive(Clone, Copy, Debug)]
pub struct Json;

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    fn encode(value: &T) -> Result<Bytes, CodecError> {
        serde_json::to_vec(value).map(Bytes::from).map_err(CodecError::new)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        serde_json::from_slice(bytes).map_err(|error| {
            json_error(&error, path::<T, _>(&mut serde_json::Deserializer::from_slice(bytes)))
        })
    }
}
