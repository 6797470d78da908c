//! [`Job`]: the task that is measured.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How large a payload is unless something else is wanted.
const SIZE: usize = 101;

/// A payload without its filler: the numbers have as many digits in every other one.
const BARE: &str = r#"{"number":10000000,"sent_ns":1700000000000000000,"filler":""}"#;

/// The first number: all of them have eight digits, so all payloads the same size.
const FIRST_NUMBER: usize = 10_000_000;

/// What a handler reads: by default 101 bytes of JSON.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Job {
    number: usize,
    /// When it was made or will be due, in nanoseconds since the Unix epoch.
    pub sent_ns: i64,
    filler: String,
}

impl Job {
    /// The type of its tasks.
    pub const TYPE: &str = "bench:noop";

    /// The `index`-th task, sent now, of so many bytes (0: the usual size).
    #[must_use]
    pub fn new(index: usize, bytes: usize) -> Self {
        let bytes = if bytes == 0 { SIZE } else { bytes };
        let filler = ".".repeat(bytes.saturating_sub(BARE.len()));
        Self { number: FIRST_NUMBER + index, sent_ns: unix_nanos(), filler }
    }

    /// A share from 0 to 1: those of all tasks are spread evenly, and come in no order.
    pub(crate) fn share(&self) -> f64 {
        // The golden ratio, in 32 bits.
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
        let scattered = (self.number as u32).wrapping_mul(0x9E37_79B9);
        f64::from(scattered) / f64::from(u32::MAX)
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
    fn shares_are_spread_evenly() {
        let shares: Vec<f64> = (0..1_000).map(|index| Job::new(index, 0).share()).collect();
        for (least, expected) in [(0.0, 1_000), (0.25, 750), (0.5, 500), (0.9, 100)] {
            let above = shares.iter().filter(|share| **share >= least).count();
            assert!(above.abs_diff(expected) < 5, "{above} from {least} on");
        }
    }

    #[test]
    fn all_payloads_have_one_size() {
        for index in [0, 1, 100_000] {
            assert_eq!(serde_json::to_vec(&Job::new(index, 0)).unwrap().len(), SIZE);
            assert_eq!(serde_json::to_vec(&Job::new(index, 10_240)).unwrap().len(), 10_240);
        }
    }
}
