//! [`Herd`]: how many others are woken for the same task.
//!
//! A push wakes everybody who waits for the list, and one of them gets the task. Who mostly comes too late waits a little
//! and looks again before asking: by then the task is gone, which one command tells instead of a whole exchange. The
//! less often it gets anything, the longer it waits, at random, so that among many there is always one who asks at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long one waits who never gets anything, at most.
const LONGEST: Duration = Duration::from_millis(2);

/// From which share of lost tasks on others are let go first: two that share the work need not.
const SHARE: f64 = 0.5;

/// How much the last task counts.
const WEIGHT: f64 = 0.1;

/// How often the tasks that one is woken for are gone.
#[derive(Debug, Default)]
pub(super) struct Herd(Mutex<f64>);

impl Herd {
    /// Whether there was a task to take.
    pub(super) fn note(&self, has_taken: bool) {
        let mut lost = self.lost();
        let now = if has_taken { 0.0 } else { 1.0 };
        *lost += (now - *lost) * WEIGHT;
    }

    /// From now on others go first, until there are often tasks to take nevertheless.
    pub(super) fn step_back(&self) {
        *self.lost() = 1.0;
    }

    /// How long to let others go first; nothing where one mostly comes in time.
    pub(super) fn pause(&self) -> Option<Duration> {
        let over = (*self.lost() - SHARE) / (1.0 - SHARE);
        (over > 0.0).then(|| LONGEST.mul_f64(over * fastrand::f64()))
    }

    fn lost(&self) -> MutexGuard<'_, f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_every_second_task_asks_at_once() {
        let herd = Herd::default();
        for n in 0..100 {
            herd.note(n % 2 == 0);
        }
        // The last that was lost may weigh a little.
        assert!(herd.pause().is_none_or(|pause| pause < LONGEST / 5));
        for _ in 0..10 {
            herd.note(true);
        }
        assert_eq!(herd.pause(), None);
    }

    #[test]
    fn who_steps_back_waits_until_it_gets_something_again() {
        let herd = Herd::default();
        herd.step_back();
        assert!(herd.pause().is_some());
        for _ in 0..10 {
            herd.note(true);
        }
        assert_eq!(herd.pause(), None);
    }

    #[test]
    fn who_gets_nothing_waits_and_who_gets_something_again_does_not() {
        let herd = Herd::default();
        for _ in 0..100 {
            herd.note(false);
        }
        assert!((0..100).all(|_| herd.pause().is_some_and(|pause| pause <= LONGEST)));
        for _ in 0..10 {
            herd.note(true);
        }
        assert_eq!(herd.pause(), None);
    }
}
