//! [`Cell`]: one value, for people and for programs.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::human;

/// One value: a line of text for people, and what programs are given.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) value: Value,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { text: text.into(), value: value.into() }
    }

    /// Nothing: a dash, and null.
    pub(crate) fn none() -> Self {
        Self::new("-", Value::Null)
    }

    /// A text that anybody may have written.
    pub(crate) fn text(text: &str) -> Self {
        Self::new(human::printable(text), text)
    }

    /// The same; nothing when it is empty.
    pub(crate) fn text_or_none(text: &str) -> Self {
        if text.is_empty() { Self::none() } else { Self::text(text) }
    }

    pub(crate) fn count(count: usize) -> Self {
        Self::new(count.to_string(), count)
    }

    pub(crate) fn number(number: impl Into<i64>) -> Self {
        let number = number.into();
        Self::new(number.to_string(), number)
    }

    pub(crate) fn total(total: u64) -> Self {
        Self::new(total.to_string(), total)
    }

    pub(crate) fn flag(flag: bool) -> Self {
        Self::new(if flag { "yes" } else { "no" }, flag)
    }

    /// A moment: how far it is for people, RFC 3339 for programs.
    pub(crate) fn relative(at: Option<Timestamp>, now: Timestamp) -> Self {
        at.map_or_else(Self::none, |at| Self::new(human::relative(at, now), human::rfc3339(at)))
    }

    /// A moment: in this machine's zone for people, RFC 3339 for programs.
    pub(crate) fn moment(at: Option<Timestamp>, now: Timestamp) -> Self {
        at.map_or_else(Self::none, |at| {
            Self::new(format!("{} ({})", human::local(at), human::relative(at, now)), human::rfc3339(at))
        })
    }

    /// A length of time; milliseconds for programs.
    pub(crate) fn length(length: Duration) -> Self {
        Self::new(human::length(length), u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
    }

    /// The same; nothing when it is zero.
    pub(crate) fn length_or_none(length: Duration) -> Self {
        if length.is_zero() { Self::none() } else { Self::length(length) }
    }

    pub(crate) fn size(bytes: Option<u64>) -> Self {
        bytes.map_or_else(Self::none, |bytes| Self::new(human::size(bytes), bytes))
    }

    /// A share in per cent.
    pub(crate) fn rate(rate: Option<f64>) -> Self {
        rate.map_or_else(|| Self::new("N/A", Value::Null), |rate| Self::new(format!("{rate:.2}%"), rate))
    }

    /// Bytes: text, or for programs an object with their base64 when they are none.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        let value = match std::str::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
        };
        Self::new(human::line(bytes), value)
    }

    /// The value as one field of CSV.
    pub(crate) fn plain(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}
