//! [`FromResult`]: what a job returns, read back from what is stored.

use bytes::Bytes;
use serde::de::DeserializeOwned;

/// What a job returns, read back from what is stored with its task: JSON for every type that serde can read, and the
/// bytes themselves for an [`Outcome`](crate::router::Outcome).
pub trait FromResult: Sized {
    /// Whether a task must keep its result for this to be read.
    const NEEDS_RESULT: bool;

    /// Reads it; `None` where nothing is stored.
    ///
    /// # Errors
    ///
    /// When it is not a result of this type.
    fn from_result(result: Option<&Bytes>) -> Result<Self, Box<dyn std::error::Error + Send + Sync>>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromResult for T {
    // `()` and the like, for which nothing is stored.
    const NEEDS_RESULT: bool = size_of::<T>() > 0;

    fn from_result(result: Option<&Bytes>) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(result.map_or(b"null", |result| result.as_ref()))?)
    }
}
