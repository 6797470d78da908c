//! Types of Go whose JSON is not what serde makes of Rust's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A `time.Duration` of Go: a number of nanoseconds, up to 292 years.
///
/// # Examples
///
/// ```
/// use asynq_core::job::go::Nanos;
/// use std::time::Duration;
///
/// assert_eq!(Duration::try_from(Nanos(1_500_000_000)), Ok(Duration::from_millis(1500)));
/// assert_eq!(Nanos::try_from(Duration::from_secs(2)), Ok(Nanos(2_000_000_000)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub i64);

impl TryFrom<Duration> for Nanos {
    type Error = std::num::TryFromIntError;

    fn try_from(duration: Duration) -> Result<Self, Self::Error> {
        i64::try_from(duration.as_nanos()).map(Self)
    }
}

impl TryFrom<Nanos> for Duration {
    type Error = std::num::TryFromIntError;

    fn try_from(nanos: Nanos) -> Result<Self, Self::Error> {
        u64::try_from(nanos.0).map(Self::from_nanos)
    }
}

/// A `[]byte` of Go: base64 in a text, or `null` for none. For `#[serde(with = "asynq::go::bytes")]` on a field of
/// type `Vec<u8>`.
pub mod bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the text.
    ///
    /// # Errors
    ///
    /// As the serializer's.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    /// Reads the text; `null` gives no bytes.
    ///
    /// # Errors
    ///
    /// When it is not base64.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        STANDARD.decode(text).map_err(|error| D::Error::custom(format_args!("not base64: {error}")))
    }
}
