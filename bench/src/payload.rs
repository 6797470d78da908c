//! The task that is measured: 101 bytes of JSON, the same from both sides.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// The type of every task.
pub(crate) const TASK_TYPE: &str = "bench:noop";

const SIZE: usize = 101;
/// A payload without its filler: the numbers have as many digits in every other one.
const BARE: &str = r#"{"number":10000000,"sent_ns":1700000000000000000,"filler":""}"#;
/// The first number: all of them have eight digits, so all payloads the same size.
const FIRST_NUMBER: usize = 10_000_000;

/// What a handler reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Payload {
    number: usize,
    /// When it was made, in nanoseconds since the Unix epoch.
    pub(crate) sent_ns: i64,
    filler: String,
}

impl Payload {
    /// The payload of the `index`-th task, sent now, as it travels.
    pub(crate) fn encode(index: usize) -> Result<Vec<u8>> {
        let filler = ".".repeat(SIZE - BARE.len());
        let payload = Self { number: FIRST_NUMBER + index, sent_ns: unix_nanos(), filler };
        Ok(serde_json::to_vec(&payload)?)
    }

    /// Reads what arrived.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// The time now, in nanoseconds since the Unix epoch: two processes compare it.
#[expect(clippy::disallowed_methods, reason = "what is measured is the time between two processes")]
pub(crate) fn unix_nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_payloads_have_one_size() {
        for index in [0, 1, 100_000] {
            assert_eq!(Payload::encode(index).unwrap().len(), SIZE);
        }
    }

    #[test]
    fn what_is_sent_arrives() {
        let payload = Payload::decode(&Payload::encode(7).unwrap()).unwrap();
        assert_eq!(payload.number, FIRST_NUMBER + 7);
        assert!(payload.sent_ns > 0);
    }
}
