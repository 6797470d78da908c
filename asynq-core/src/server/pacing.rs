//! [`Pacing`]: how much travels in one call, and when a call goes. Pure.

/// Most tasks that one call leases: bounds how long Redis does nothing else.
const MAX_LEASED: usize = 128;

/// Fewest tasks, leased or settled, that are worth a second call in flight: smaller calls cost the broker more for each
/// task than the overlap gains.
const MIN_HALF: usize = 4;

/// How many times handlers are let run on before what has ended is settled: bounds how long a settlement can wait where
/// handlers keep ending one after the other.
const MAX_GATHERING: usize = 16;

/// The rhythm of a server with so many slots. With few, one call at a time is in flight; with many there are two, each
/// for half of the slots: while the broker works on one, handlers run, and what they come to makes the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pacing {
    concurrency: usize,
}

impl Pacing {
    pub(super) fn new(concurrency: usize) -> Self {
        Self { concurrency }
    }

    /// Slots that are left by so many taken ones.
    pub(super) fn free(self, taken: usize) -> usize {
        self.concurrency.saturating_sub(taken)
    }

    /// What one call may lease of `free` slots, beside so many in flight. The second takes all that the first has left:
    /// what it did not would stay empty for a round trip.
    pub(super) fn slots(self, in_flight: usize, free: usize) -> usize {
        let is_first_of_two = in_flight == 0 && self.is_paired();
        let share = if is_first_of_two { self.concurrency.div_ceil(2) } else { self.concurrency };
        free.min(share).min(MAX_LEASED)
    }

    /// Whether to make a call now, beside so many in flight, where `wanted` tasks could be leased and may be there, and
    /// `unsettled` have ended.
    pub(super) fn is_call_due(self, in_flight: usize, wanted: usize, unsettled: usize) -> bool {
        match in_flight {
            0 => wanted > 0 || unsettled > 0,
            // Of an odd number of slots the second half is the smaller one.
            1 => self.is_paired() && wanted.max(unsettled) >= (self.concurrency / 2).min(MAX_LEASED),
            _ => false,
        }
    }

    /// How many rounds handlers have to end after a call was answered, before the next one goes; fewer if a round ends
    /// none. With one call at a time in flight each call that carries less than it could costs a round trip. Of two, one
    /// is gathering anyway.
    pub(super) fn gathering_rounds(self) -> usize {
        if self.is_paired() { 1 } else { MAX_GATHERING }
    }

    /// Whether two calls may be in flight.
    fn is_paired(self) -> bool {
        self.concurrency / 2 >= MIN_HALF
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_slots_make_one_call_at_a_time() {
        let pacing = Pacing::new(7);
        assert_eq!((pacing.slots(0, 7), pacing.slots(0, 3), pacing.free(4), pacing.free(8)), (7, 3, 3, 0));
        assert!(pacing.is_call_due(0, 1, 0) && pacing.is_call_due(0, 0, 1));
        assert!(!pacing.is_call_due(0, 0, 0) && !pacing.is_call_due(1, 7, 7));
    }

    #[test]
    fn many_slots_make_two_calls_of_a_half_each() {
        for concurrency in [8, 10, 21, 50, 255] {
            let pacing = Pacing::new(concurrency);
            let first = pacing.slots(0, pacing.free(0));
            let second = pacing.slots(1, pacing.free(first));
            assert_eq!(first + second, concurrency, "both calls together fill every slot");
            assert!(pacing.is_call_due(1, second, 0) && pacing.is_call_due(1, 0, second));
            assert!(!pacing.is_call_due(1, second - 1, 0), "a small call waits for company");
            assert!(!pacing.is_call_due(2, first, first));
        }
        let pacing = Pacing::new(10);
        assert_eq!(
            (pacing.slots(0, 2), pacing.slots(1, 8)),
            (2, 8),
            "nor does a small first call leave any empty"
        );
    }

    #[test]
    fn no_call_leases_more_than_the_bound() {
        let pacing = Pacing::new(10_000);
        assert_eq!((pacing.slots(0, 10_000), pacing.slots(1, 9_872)), (MAX_LEASED, MAX_LEASED));
        assert!(pacing.is_call_due(1, MAX_LEASED, 0));
    }
}
