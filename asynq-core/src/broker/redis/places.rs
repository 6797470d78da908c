//! [`Places`]: how many calls may wait for an answer at one time.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::broker::{BrokerError, BrokerErrorKind};

/// How many calls may wait unless options say otherwise.
pub(super) const MAX_WAITING: usize = 10_000;

/// Counts the calls that wait: what they carry is memory, and while Redis does not answer nothing else limits it.
pub(super) struct Places {
    taken: AtomicUsize,
    most: usize,
}

/// The place of one call, until it is dropped.
pub(super) struct Place<'a>(&'a AtomicUsize);

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: AtomicUsize::new(0), most }
    }

    /// A place, if there is one.
    pub(super) fn take(&self, doing: &'static str) -> Result<Place<'_>, BrokerError> {
        let place = Place(&self.taken);
        if self.taken.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(place);
        }
        let most = self.most;
        let why = format!("{most} calls wait for an answer, which is the most allowed (`max_waiting`)");
        Err(BrokerError::new(BrokerErrorKind::Busy, doing, why))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_call_is_over() {
        let places = Places::new(1);
        let first = places.take("enqueue").unwrap();
        let refused = places.take("enqueue").map(drop).unwrap_err();
        assert_eq!(refused.kind(), BrokerErrorKind::Busy);
        assert_eq!(refused.to_string(), "too many calls wait for the broker during enqueue");
        drop(first);
        places.take("enqueue").map(drop).unwrap();
    }
}
