//! Attributes on the function and its arguments: each goes where it belongs.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]
#![warn(missing_debug_implementations, unused_qualifications, unreachable_pub)]

use asynq::job;

/// Documented, in several
///
/// paragraphs.
#[job(
    name = "all:options",
    queue = "critical",
    retry = never,
    timeout = "30s",
    expires_in = "1h30m",
    unique_for = "10m",
    retention = "1d",
    group = "digest",
)]
pub async fn documented(
    /// The recipient,
    /// in two lines.
    to: &str,
    #[serde(default = "one", rename = "n")] count: u32,
    #[serde(with = "millis")] delay: std::time::Duration,
    #[serde(flatten)] rest: std::collections::BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")] note: Option<String>,
    #[serde(with = "opaque")] own_way: &Opaque,
    #[serde(skip)] absent: Option<Opaque>,
    #[allow(unused_variables)] unused: u8,
) {
    drop((to, count, delay, rest, note, own_way.0, absent));
}

/// Of no use to serde.
#[derive(Debug)]
pub struct Opaque(u8);

mod opaque {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Opaque;

    pub(super) fn serialize<S: Serializer>(opaque: &Opaque, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(opaque.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Opaque, D::Error> {
        u8::deserialize(deserializer).map(Opaque)
    }
}

fn one() -> u32 {
    1
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(delay: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u128(delay.as_millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[job]
#[cfg(any())]
async fn absent(missing: Missing) {}

#[cfg(all())]
#[job]
#[cfg(all())]
#[inline]
#[must_use]
async fn present(x: u8) -> Result<u8, String> {
    Ok(x)
}

/// Deprecated.
#[job]
#[deprecated = "use `present`"]
pub async fn old(x: u8) {
    let _ = x;
}

/// Not for the documentation.
#[doc(hidden)]
#[job]
pub async fn hidden(
    x: u8,
    // A trailing comma.
    r#mod: u8,
) {
    let _ = (x, r#mod);
}

fn main() {
    drop(Present::new(1));
}
