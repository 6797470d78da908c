//! [`Ring`]: what was measured, for some time exactly and for a longer time roughly.

use std::collections::VecDeque;

/// What can be measured over a while.
pub(super) trait Merge: Clone {
    /// Takes in what was measured right after.
    fn merge(&mut self, later: &Self);
}

/// How exactly a ring remembers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolution {
    /// How long a slot is, in milliseconds.
    pub(super) step: i64,
    /// How many slots there are.
    pub(super) kept: i64,
}

/// What was measured, slot by slot; slots of which nothing is known are not there.
#[derive(Debug)]
pub(super) struct Ring<T> {
    /// The exact one first.
    levels: [Level<T>; 2],
}

#[derive(Debug)]
struct Level<T> {
    resolution: Resolution,
    /// By number: the time at its start, divided by the step. From 1970 on, they fit.
    slots: VecDeque<(u32, T)>,
}

impl<T: Merge> Ring<T> {
    pub(super) fn new(resolutions: [Resolution; 2]) -> Self {
        Self { levels: resolutions.map(|resolution| Level { resolution, slots: VecDeque::new() }) }
    }

    /// Takes in what was measured until this moment.
    pub(super) fn push(&mut self, at: i64, value: &T) {
        for level in &mut self.levels {
            level.push(number(at, level.resolution.step), value);
        }
    }

    /// Forgets what is too old at this moment; whether nothing is left.
    pub(super) fn forget(&mut self, at: i64) -> bool {
        self.levels.iter_mut().for_each(|level| level.forget(number(at, level.resolution.step)));
        self.levels.iter().all(|level| level.slots.is_empty())
    }

    /// What was measured in each step from this moment on: of the finest slots that go back so far and fit into a step.
    pub(super) fn read(&self, from: i64, step: i64, steps: usize) -> Vec<Option<T>> {
        let fits = |level: &&Level<T>| {
            let Resolution { step: slot, kept } = level.resolution;
            let oldest = level.slots.back().map_or(0, |(last, _)| (i64::from(*last) + 1 - kept) * slot);
            step % slot == 0 && from.saturating_add(step) > oldest
        };
        let mut values = vec![None; steps];
        let Some(level) = self.levels.iter().find(fits).or_else(|| self.levels.last()) else { return values };
        for (slot, value) in &level.slots {
            let place = (i64::from(*slot) * level.resolution.step - from).div_euclid(step);
            let Some(known) = usize::try_from(place).ok().and_then(|place| values.get_mut(place)) else {
                continue;
            };
            match known {
                None => *known = Some(value.clone()),
                Some(known) => known.merge(value),
            }
        }
        values
    }
}

impl<T: Merge> Level<T> {
    fn push(&mut self, slot: u32, value: &T) {
        match self.slots.back_mut() {
            Some((last, known)) if *last >= slot => known.merge(value),
            _ => self.slots.push_back((slot, value.clone())),
        }
        self.forget(slot);
    }

    fn forget(&mut self, slot: u32) {
        let kept = u32::try_from(self.resolution.kept).unwrap_or(u32::MAX);
        while self.slots.front().is_some_and(|(oldest, _)| oldest.saturating_add(kept) <= slot) {
            self.slots.pop_front();
        }
    }
}

/// The slot that what ended at this moment belongs to.
fn number(at: i64, step: i64) -> u32 {
    u32::try_from(at.saturating_sub(1).div_euclid(step)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Merge for u32 {
        fn merge(&mut self, later: &Self) {
            *self += later;
        }
    }

    fn ring() -> Ring<u32> {
        Ring::new([Resolution { step: 10, kept: 6 }, Resolution { step: 60, kept: 5 }])
    }

    #[test]
    fn each_step_has_the_sum_of_its_slots_and_gaps_stay_gaps() {
        let mut ring = ring();
        for (at, value) in [(10, 1), (20, 2), (25, 4), (50, 8)] {
            ring.push(at, &value);
        }
        assert_eq!(ring.read(0, 10, 6), [Some(1), Some(2), Some(4), None, Some(8), None]);
        assert_eq!(ring.read(0, 20, 3), [Some(3), Some(4), Some(8)]);
        assert_eq!(ring.read(30, 10, 2), [None, Some(8)]);
        assert_eq!(ring.read(0, 60, 1), [Some(15)]);
    }

    #[test]
    fn what_is_old_is_known_roughly_and_then_not_at_all() {
        let mut ring = ring();
        for n in 1..=40 {
            ring.push(n * 10, &1);
        }
        assert_eq!(ring.levels[0].slots.len(), 6);
        assert_eq!(ring.levels[1].slots.len(), 5);
        assert_eq!(ring.read(340, 10, 6), [Some(1); 6]);
        assert_eq!(ring.read(180, 60, 4), [Some(6), Some(6), Some(6), Some(4)]);
        assert_eq!(ring.read(0, 60, 2), [None, None]);
        assert!(!ring.forget(600));
        assert!(ring.forget(1_000));
    }
}
