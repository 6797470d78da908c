//! [`CatchUp`] and [`due`]: which of the ticks that have passed are still to be enqueued. Pure.

use std::collections::VecDeque;

use super::Schedule;

/// How late a tick may be, in seconds, and yet count as on time.
///
/// It covers what is no outage: a scheduler that is replaced, a store that fails over, clocks that differ. Such ticks
/// are enqueued each, whatever the policy for missed ones.
pub(super) const ON_TIME: i64 = 30;

/// How many ticks one look takes at most; the rest waits for the next look.
const LOOK: usize = 1_000;

/// What becomes of ticks that passed while no scheduler ran. They are known by the last tick that the store remembers;
/// an entry begins when a scheduler first has it.
///
/// A tick less than 30 s late is never missed. While a scheduler runs but cannot enqueue, because Redis does not answer,
/// it goes on trying until the next tick is due; with [`All`](Self::All), also after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out, as in Go.
    #[default]
    None,
    /// The last one is enqueued.
    Last,
    /// The last ones, at most this many and at most 10,000, are enqueued in their order.
    All(usize),
}

impl CatchUp {
    /// Up to which second an entry's ticks count as dealt with, for a scheduler that begins at `since`, when the store
    /// has this mark.
    pub(super) fn begin(self, mark: i64, since: i64) -> i64 {
        match self {
            Self::None => mark.max(since.saturating_sub(ON_TIME)),
            Self::Last | Self::All(_) => mark,
        }
    }

    /// How many late ticks are kept.
    fn limit(self) -> usize {
        match self {
            Self::None | Self::Last => 1,
            Self::All(limit) => limit.clamp(1, 10_000),
        }
    }
}

/// The ticks after `settled` and up to `now` that are to be enqueued, in order: those on time, and of late ones the
/// last few.
pub(super) fn due(schedule: &Schedule, settled: i64, now: i64, policy: CatchUp) -> VecDeque<i64> {
    let keep = policy.limit();
    let on_time = now.saturating_sub(ON_TIME);
    // Backwards in growing strides: a year of minutes is not counted to find the last one.
    let mut stride = ON_TIME;
    loop {
        let from = now.saturating_sub(stride).max(settled);
        let mut ticks = VecDeque::new();
        let mut tick = schedule.next_tick(from);
        while let Some(at) = tick.filter(|at| *at <= now) {
            ticks.push_back(at);
            let late = ticks.front().is_some_and(|first| *first <= on_time);
            if late && ticks.len() > keep {
                ticks.pop_front();
            }
            tick = schedule.next_tick(at);
        }
        let all_seen = from == settled;
        if all_seen || ticks.len() >= keep {
            ticks.truncate(LOOK);
            return ticks;
        }
        stride = stride.saturating_mul(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(spec: &str) -> Schedule {
        Schedule::parse(spec, "UTC").unwrap()
    }

    #[test]
    fn ticks_on_time_are_all_kept() {
        let every = schedule("@every 1s");
        let expected: Vec<i64> = (991..=1_000).collect();
        for policy in [CatchUp::None, CatchUp::Last, CatchUp::All(3)] {
            assert_eq!(due(&every, 990, 1_000, policy), expected, "{policy:?}");
        }
        assert_eq!(due(&every, 1_000, 1_000, CatchUp::None), [0_i64; 0]);
        assert_eq!(due(&every, 1_005, 1_000, CatchUp::None), [0_i64; 0], "another one's clock is ahead");
    }

    #[test]
    fn of_late_ticks_the_last_ones_are_kept() {
        let hourly = schedule("@hourly");
        assert_eq!(due(&hourly, 0, 10 * 3_600 + 600, CatchUp::Last), [36_000]);
        assert_eq!(due(&hourly, 0, 36_600, CatchUp::All(3)), [28_800, 32_400, 36_000]);
        assert_eq!(due(&hourly, 0, 7_300, CatchUp::All(99)), [3_600, 7_200]);
        let minutes = schedule("* * * * *");
        // A late one gives way to one on time.
        assert_eq!(due(&minutes, 0, 600, CatchUp::None), [600]);
        // A minute is a minute, also after a year.
        assert_eq!(due(&minutes, 0, 31_536_050, CatchUp::Last), [31_536_000]);
        assert_eq!(due(&minutes, 0, 31_536_050, CatchUp::All(1_000_000)).len(), LOOK);
    }

    #[test]
    fn without_catching_up_only_what_is_on_time_counts() {
        assert_eq!(CatchUp::None.begin(100, 500), 470);
        assert_eq!(CatchUp::None.begin(490, 500), 490);
        assert_eq!(CatchUp::Last.begin(100, 500), 100);
        assert_eq!(CatchUp::All(5).begin(600, 500), 600, "another one's clock is ahead");
    }
}
