//! [`Pacing`]: how much travels in one call, and when a call goes. Pure.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;

/// Most tasks that one call leases: bounds how long Redis does nothing else. More where there are thousands of slots: to
/// find those that have ended among all that run takes a call as long for many as for few.
const MAX_LEASED: RangeInclusive<usize> = 128..=512;

/// The share of the slots for which one call leases, within these bounds.
const SHARE_AT_ONCE: usize = 16;

/// Fewest tasks, leased or settled, that are worth a second call in flight: smaller calls cost the broker more for each
/// task than the overlap gains.
const MIN_HALF: usize = 4;

/// How many times handlers are let run on before what has ended is settled: bounds how long a settlement can wait where
/// handlers keep ending one after the other.
const MAX_GATHERING: usize = 16;

/// How many round trips a task that was taken ahead may wait for a slot. It should take one.
const PATIENCE: u32 = 8;

/// Bounds of that: a machine that is busy may let nobody run for some milliseconds, and nobody should wait for long.
const MIN_WAIT: Duration = Duration::from_millis(10);
const MAX_WAIT: Duration = Duration::from_secs(1);

/// How many times the shortest round trip one may take. What takes longer has stood in line at the broker, behind the
/// calls of other servers: more tasks held would make the line longer, and nothing faster.
const MOST_OF_SHORTEST: u32 = 8;

/// The rhythm of a server with so many slots. With few, one call at a time is in flight; with many there are two, each
/// for half of the slots: while the broker works on one, handlers run, and what they come to makes the next.
///
/// Where tasks may be taken ahead of free slots, as many are as end during a round trip: so many slots would stand empty
/// for one. Slow tasks have none behind them, then, and one that was taken ahead waits about a round trip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pacing {
    concurrency: usize,
    /// Most tasks ahead.
    prefetch: usize,
    /// Tasks ahead at present.
    ahead: usize,
    /// None are to be ahead.
    is_crowded: bool,
    /// The shortest call.
    shortest: Duration,
    /// How long the last call took, without what it stood in line.
    round_trip: Duration,
    /// How many runs have ended.
    ended: usize,
    /// When the last answer came, and how many runs had ended by then.
    answered: Option<(Instant, usize)>,
}

/// A call on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    at: Instant,
    /// The last answer before it.
    after: Option<(Instant, usize)>,
}

impl Pacing {
    pub(super) fn new(concurrency: usize, prefetch: usize) -> Self {
        let (shortest, round_trip) = (Duration::MAX, Duration::ZERO);
        Self {
            concurrency,
            prefetch,
            ahead: 0,
            is_crowded: false,
            shortest,
            round_trip,
            ended: 0,
            answered: None,
        }
    }

    /// A run has ended.
    pub(super) fn ended(&mut self) {
        self.ended = self.ended.wrapping_add(1);
    }

    /// A call is sent.
    pub(super) fn sent(self, now: Instant) -> Sent {
        Sent { at: now, after: self.answered }
    }

    /// A call was answered.
    pub(super) fn answered(&mut self, Sent { at, after }: Sent, now: Instant) {
        self.answered = Some((now, self.ended));
        self.shortest = self.shortest.min(now - at);
        self.round_trip = (now - at).min(self.shortest.saturating_mul(MOST_OF_SHORTEST));
        let Some((since, ended)) = after else { return };
        let (round_trip, time) = (self.round_trip.as_nanos(), (now - since).as_nanos());
        let ended = self.ended.wrapping_sub(ended) as u128;
        // Rounded to the nearest.
        let ahead = (ended.saturating_mul(round_trip) + time / 2).checked_div(time).unwrap_or(0);
        self.ahead = usize::try_from(ahead).map_or(self.prefetch, |ahead| ahead.min(self.prefetch));
    }

    /// Whether so many tasks run, here and elsewhere, that none should be taken ahead.
    pub(super) fn told_of_crowd(&mut self, is_crowded: bool) {
        self.is_crowded = is_crowded;
    }

    /// A call failed: the broker may be another from now on, and stand elsewhere.
    pub(super) fn failed(&mut self) {
        *self = Self { ended: self.ended, ..Self::new(self.concurrency, self.prefetch) };
    }

    /// How long a task that was taken ahead may wait here, while another server might run it.
    pub(super) fn patience(self) -> Duration {
        self.round_trip.saturating_mul(PATIENCE).clamp(MIN_WAIT, MAX_WAIT)
    }

    /// Nothing was to do for a while, or what there was takes longer than it did: how many ended before says nothing
    /// about what comes.
    pub(super) fn rested(&mut self) {
        self.ahead = 0;
    }

    /// Whether a task can begin beside so many that run.
    pub(super) fn can_begin(self, running: usize) -> bool {
        running < self.concurrency
    }

    /// Tasks that can be leased beside so many that are held or asked for.
    pub(super) fn free(self, taken: usize) -> usize {
        self.most().saturating_sub(taken)
    }

    /// What one call may lease of `free` slots, beside so many in flight. The second takes all that the first has left:
    /// what it did not would stay empty for a round trip.
    pub(super) fn slots(self, in_flight: usize, free: usize) -> usize {
        let is_first_of_two = in_flight == 0 && self.is_paired();
        let share = if is_first_of_two { self.most().div_ceil(2) } else { self.most() };
        free.min(share).min(self.max_leased())
    }

    /// Whether to make a call now, beside so many in flight, where `wanted` tasks could be leased and may be there, and
    /// `unsettled` have ended.
    pub(super) fn is_call_due(self, in_flight: usize, wanted: usize, unsettled: usize) -> bool {
        match in_flight {
            0 => wanted > 0 || unsettled > 0,
            // Of an odd number of slots the second half is the smaller one.
            1 => self.is_paired() && wanted.max(unsettled) >= (self.most() / 2).min(self.max_leased()),
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
        self.most() / 2 >= MIN_HALF
    }

    fn max_leased(self) -> usize {
        (self.concurrency / SHARE_AT_ONCE).clamp(*MAX_LEASED.start(), *MAX_LEASED.end())
    }

    /// Most tasks to hold.
    fn most(self) -> usize {
        self.concurrency.saturating_add(if self.is_crowded { 0 } else { self.ahead })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_slots_make_one_call_at_a_time() {
        let pacing = Pacing::new(7, 0);
        assert_eq!((pacing.slots(0, 7), pacing.slots(0, 3), pacing.free(4), pacing.free(8)), (7, 3, 3, 0));
        assert!(pacing.is_call_due(0, 1, 0) && pacing.is_call_due(0, 0, 1));
        assert!(!pacing.is_call_due(0, 0, 0) && !pacing.is_call_due(1, 7, 7));
    }

    #[test]
    fn many_slots_make_two_calls_of_a_half_each() {
        for concurrency in [8, 10, 21, 50, 255] {
            let pacing = Pacing::new(concurrency, 0);
            let first = pacing.slots(0, pacing.free(0));
            let second = pacing.slots(1, pacing.free(first));
            assert_eq!(first + second, concurrency, "both calls together fill every slot");
            assert!(pacing.is_call_due(1, second, 0) && pacing.is_call_due(1, 0, second));
            assert!(!pacing.is_call_due(1, second - 1, 0), "a small call waits for company");
            assert!(!pacing.is_call_due(2, first, first));
        }
        let pacing = Pacing::new(10, 0);
        assert_eq!(
            (pacing.slots(0, 2), pacing.slots(1, 8)),
            (2, 8),
            "nor does a small first call leave any empty"
        );
    }

    #[test]
    fn no_call_leases_more_than_the_bound() {
        for (concurrency, most) in [(300, 128), (2_000, 128), (4_800, 300), (10_000, 512)] {
            let pacing = Pacing::new(concurrency, 0);
            assert_eq!((pacing.slots(0, concurrency), pacing.slots(1, concurrency - most)), (most, most));
            assert!(pacing.is_call_due(1, most, 0) && !pacing.is_call_due(1, most - 1, 0));
        }
    }

    /// After a call of so many milliseconds, with so many runs that ended since the last answer, which came so many
    /// milliseconds before it was sent: how many tasks can be held.
    fn held_after(pacing: &mut Pacing, round_trip: u64, ended: usize, before: u64) -> usize {
        let now = Instant::now();
        let round_trip = Duration::from_millis(round_trip);
        pacing.answered(pacing.sent(now - round_trip), now);
        let sent = now + Duration::from_millis(before);
        let call = pacing.sent(sent);
        (0..ended).for_each(|_| pacing.ended());
        pacing.answered(call, sent + round_trip);
        pacing.free(0)
    }

    #[test]
    fn what_is_ahead_waits_for_a_few_round_trips_within_bounds() {
        let pacing = &mut Pacing::new(10, 30);
        assert_eq!(pacing.patience(), MIN_WAIT);
        for (round_trip, patience) in [(200, 1_000), (100, 800), (5, 40), (1, 10), (0, 10)] {
            held_after(pacing, round_trip, 10, 0);
            assert_eq!(pacing.patience(), Duration::from_millis(patience));
        }
    }

    #[test]
    fn in_a_crowd_none_is_ahead() {
        let pacing = &mut Pacing::new(10, 30);
        assert_eq!(held_after(pacing, 5, 10, 0), 20);
        pacing.told_of_crowd(true);
        assert_eq!((pacing.free(0), held_after(pacing, 5, 10, 0)), (10, 10));
        pacing.told_of_crowd(false);
        assert_eq!(pacing.free(0), 20);
    }

    #[test]
    fn a_line_at_the_broker_is_no_distance() {
        let pacing = &mut Pacing::new(10, 30);
        assert_eq!(held_after(pacing, 1, 2, 0), 12);
        assert_eq!(held_after(pacing, 8, 10, 0), 20);
        assert_eq!(held_after(pacing, 80, 10, 0), 11, "a tenth of it is the way");
        pacing.failed();
        assert_eq!(pacing.free(0), 10);
        assert_eq!(held_after(pacing, 80, 10, 0), 20, "a broker that is farther away");
    }

    #[test]
    fn ahead_are_as_many_as_end_in_a_round_trip() {
        let pacing = &mut Pacing::new(10, 30);
        assert_eq!(pacing.free(0), 10);
        for (ended, held) in [(10, 20), (20, 30), (100, 40), (3, 13), (0, 10)] {
            assert_eq!(held_after(pacing, 5, ended, 0), held, "after {ended}");
            let first = pacing.slots(0, held);
            assert_eq!(first + pacing.slots(1, pacing.free(first)), held);
            assert!(pacing.can_begin(9) && !pacing.can_begin(10), "no more run for it");
        }
        assert_eq!(held_after(pacing, 5, 20, 0), 30);
        pacing.rested();
        assert_eq!(pacing.free(0), 10, "none ahead before anything has ended again");
        assert_eq!(held_after(pacing, 5, 10, 20), 12, "ten in 25 ms are two in 5 ms");
        assert_eq!(held_after(pacing, 5, 1, 10_000), 10, "one in ten seconds is none");
        assert_eq!(held_after(pacing, 0, 10, 0), 10, "nor is there any where a call takes no time");
        assert_eq!(held_after(&mut Pacing::new(10, 0), 5, 10, 0), 10, "nor where none may be");
    }
}
