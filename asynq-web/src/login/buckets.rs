//! [`Buckets`]: so many in a time for each of many, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::background::lock;

/// Of as many it is remembered what they took.
const MOST: usize = 10_000;

/// A bucket of tokens for each key: it holds so many, and so many come back each second.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    size: f64,
    per_second: f64,
    taken: Mutex<HashMap<K, Level>>,
}

/// How many were left at some time.
#[derive(Clone, Copy, Debug)]
struct Level {
    left: f64,
    at: Instant,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    pub(crate) fn new(size: f64, per_second: f64) -> Self {
        Self { size, per_second, taken: Mutex::default() }
    }

    /// Takes one, or says after which time there is one again.
    pub(crate) fn take(&self, key: K) -> Result<(), Duration> {
        let now = Instant::now();
        let mut taken = self.lock();
        if taken.len() >= MOST && !taken.contains_key(&key) {
            self.make_room(&mut taken, now);
        }
        let level = taken.entry(key).or_insert(Level { left: self.size, at: now });
        *level = Level { left: self.left(*level, now), at: now };
        if level.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - level.left) / self.per_second));
        }
        level.left -= 1.0;
        Ok(())
    }

    /// Gives one back.
    pub(crate) fn give(&self, key: &K) {
        if let Some(level) = self.lock().get_mut(key) {
            level.left = (level.left + 1.0).min(self.size);
        }
    }

    fn left(&self, level: Level, now: Instant) -> f64 {
        (level.left + now.duration_since(level.at).as_secs_f64() * self.per_second).min(self.size)
    }

    /// Forgets those that are full again; else some other, who then may take anew.
    fn make_room(&self, taken: &mut HashMap<K, Level>, now: Instant) {
        taken.retain(|_, level| self.left(*level, now) < self.size);
        if taken.len() >= MOST
            && let Some(key) = taken.keys().next().cloned()
        {
            taken.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Level>> {
        lock(&self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_then_so_many_in_a_time() {
        let buckets = Buckets::new(3.0, 0.5);
        for _ in 0..3 {
            buckets.take("a").unwrap();
        }
        assert_eq!(buckets.take("a").unwrap_err(), Duration::from_secs(2));
        buckets.take("b").unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
        buckets.take("a").unwrap();
        assert!(buckets.take("a").is_err());
        buckets.give(&"a");
        buckets.take("a").unwrap();
        tokio::time::advance(Duration::from_secs(3_600)).await;
        for _ in 0..3 {
            buckets.take("a").unwrap();
        }
        assert!(buckets.take("a").is_err(), "no more than it holds");
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let buckets = Buckets::new(1.0, 0.001);
        for key in 0..3 * MOST {
            buckets.take(key).unwrap();
        }
        assert!(buckets.lock().len() <= MOST);
    }
}
