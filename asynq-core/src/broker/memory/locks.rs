//! [`Locks`]: the uniqueness locks of all queues.

use std::collections::HashMap;
use std::time::Duration;

use super::queue::Queue;
use super::store::{Expiring, Moment};
use super::task_hash::field;
use crate::broker::lock::{counts, lock_value, read_lock};
use crate::task::UniqueUntil;
use crate::wire::TaskMessage;

/// The uniqueness locks, by their full key; the values are those of `lock.lua`.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: HashMap<String, Expiring<String>>,
}

/// A lock that a new task is to take.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewLock<'a> {
    key: &'a str,
    /// In seconds.
    ttl: i64,
    pub(super) until: UniqueUntil,
}

impl<'a> NewLock<'a> {
    /// The lock of a message; `None` when it has no key or no time.
    pub(super) fn of(message: &'a TaskMessage, ttl: i64, until: UniqueUntil) -> Option<Self> {
        let key = message.unique_key.as_str();
        (ttl > 0 && !key.is_empty()).then_some(Self { key, ttl, until })
    }
}

impl Locks {
    /// The ID of the task because of which no other of this queue may take the lock.
    pub(super) fn holder(&self, lock: &NewLock<'_>, queue: &Queue, now: Moment) -> Option<&str> {
        let (holder, is_kept) = read_lock(self.value(lock.key, now)?.0);
        let task = queue.tasks.get(holder);
        let said = |name| task.and_then(|task| task.text(name));
        (is_kept || counts(said(field::STATE).as_deref(), said(field::UNTIL).as_deref())).then_some(holder)
    }

    /// Takes a lock for a task.
    pub(super) fn take(&mut self, lock: &NewLock<'_>, id: &str, now: Moment) {
        let value = lock_value(id, lock.until);
        self.held.insert(lock.key.to_owned(), Expiring { value, expires_at: now.nanos_after(lock.ttl) });
    }

    /// Releases a lock if its value is this ID; an empty key is no lock.
    pub(super) fn release(&mut self, key: &str, id: &str) {
        if !key.is_empty() && self.held.get(key).is_some_and(|lock| lock.value == id) {
            self.held.remove(key);
        }
    }

    /// The value of a lock, and how long it lasts, in whole seconds rounded up.
    pub(super) fn value(&self, key: &str, now: Moment) -> Option<(&str, Duration)> {
        let lock = self.held.get(key).filter(|lock| lock.is_alive(now))?;
        let left = u64::try_from(lock.expires_at.saturating_sub(now.nanos)).unwrap_or(0);
        Some((lock.value.as_str(), Duration::from_secs(left.div_ceil(1_000_000_000))))
    }

    /// The keys of those that are held.
    pub(super) fn keys(&self, now: Moment) -> impl Iterator<Item = &str> {
        self.held.iter().filter(move |(_, lock)| lock.is_alive(now)).map(|(key, _)| key.as_str())
    }

    /// Keeps the locks whose keys fulfill a condition.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.held.retain(|key, _| keep(key));
    }

    /// Forgets the locks whose time is over.
    pub(super) fn drop_expired(&mut self, now: Moment) {
        self.held.retain(|_, lock| lock.is_alive(now));
    }

    /// All that are held.
    #[cfg(any(test, feature = "__conformance"))]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Expiring<String>)> {
        self.held.iter().map(|(key, lock)| (key.as_str(), lock))
    }
}
