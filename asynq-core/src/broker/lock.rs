//! What stands in a uniqueness lock, and who holds it. Pure; `lock.lua` says why it is so.

use std::time::Duration;

use crate::task::{TaskState, UniqueUntil};

/// What the value of a lock begins with that is kept for its whole time; the ID of the task follows.
pub(super) const KEPT: &str = "x:ttl:";

/// The value of a lock.
pub(super) fn lock_value(id: &str, until: UniqueUntil) -> String {
    match until {
        UniqueUntil::Ttl => format!("{KEPT}{id}"),
        UniqueUntil::Success | UniqueUntil::Start => id.to_owned(),
    }
}

/// The task that a lock names, and whether the lock is kept for its whole time.
pub(super) fn read_lock(value: &str) -> (&str, bool) {
    value.strip_prefix(KEPT).map_or((value, false), |id| (id, true))
}

/// Whether a lock that is not kept for its whole time still counts, given what its task says of itself; `None` where it
/// says nothing, or is gone.
pub(super) fn counts(state: Option<&str>, until: Option<&str>) -> bool {
    let ended = [TaskState::Active, TaskState::Completed, TaskState::Archived];
    let is_over = |state: &str| ended.iter().any(|ended| ended.as_str() == state);
    state.is_some_and(|state| until != Some(UniqueUntil::Start.as_str()) || !is_over(state))
}

/// What ends a lock, given whether it is kept for its whole time, and what the hash of its task says.
pub(crate) fn lock_until(is_kept: bool, until: Option<&str>) -> UniqueUntil {
    match until {
        _ if is_kept => UniqueUntil::Ttl,
        Some(until) if until == UniqueUntil::Start.as_str() => UniqueUntil::Start,
        _ => UniqueUntil::Success,
    }
}

/// A uniqueness lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    /// Its key.
    pub key: String,
    /// Whose it is now: the ID of a task, perhaps of another one, or of one that is gone already; `None` when nobody
    /// holds it any more.
    pub holder: Option<String>,
    /// How long it lasts from now, in whole seconds, rounded up; `None` when nobody holds it, or when it never ends.
    pub expires_in: Option<Duration>,
    /// What ends it earlier.
    pub until: UniqueUntil,
}

impl LockInfo {
    /// The lock of this key and value; `until` is what the hash of the task says that took it.
    pub(super) fn read(
        key: String,
        value: Option<&str>,
        expires_in: Option<Duration>,
        until: Option<&[u8]>,
    ) -> Self {
        let (holder, is_kept) = value.map(read_lock).unzip();
        let until =
            lock_until(is_kept == Some(true), until.and_then(|until| std::str::from_utf8(until).ok()));
        Self { key, holder: holder.map(str::to_owned), expires_in: value.and(expires_in), until }
    }
}
