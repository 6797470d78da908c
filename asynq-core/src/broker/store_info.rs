//! [`StoreInfo`]: what a store tells about itself, and what follows from that.

use std::collections::{BTreeMap, btree_map};
use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// The version from which on nothing is missing: major, minor.
const ENOUGH: (u32, u32) = (6, 2);

/// Changes that are not on disk after this time are told.
const SAVED_WITHIN: SignedDuration = SignedDuration::from_hours(2);

/// What the store tells about itself, name by name, as Redis's `INFO` and, in a cluster, `CLUSTER INFO` have it; empty
/// where there is no server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct StoreInfo(BTreeMap<String, String>);

impl StoreInfo {
    /// Major and minor of the version of Redis, if they can be read.
    pub fn version(&self) -> Option<(u32, u32)> {
        let mut numbers =
            self.get("redis_version")?.split('.').map_while(|number| number.parse::<u32>().ok());
        Some((numbers.next()?, numbers.next().unwrap_or(0)))
    }

    /// Whether it is older than 6.2, from which on nothing is missing.
    pub fn is_old(&self) -> bool {
        self.version().is_some_and(|version| version < ENOUGH)
    }

    /// The policy by which the store drops keys, and tasks with them, when its memory is full; `None` where it drops none,
    /// or its memory has no limit.
    pub fn evicts(&self) -> Option<&str> {
        let policy = self.get("maxmemory_policy").filter(|policy| *policy != "noeviction")?;
        let is_limited = self.get("maxmemory").is_some_and(|bytes| bytes != "0");
        is_limited.then_some(policy)
    }

    /// Why what is stored would be lost if the store ended now, in words; `None` where it is on disk, or the store does not
    /// tell. Changes of the last two hours are not complained of: Redis saves every hour unless it is told otherwise.
    pub fn forgets(&self, now: Timestamp) -> Option<String> {
        let has_failed = |status: &str| self.get(status).is_some_and(|status| status == "err");
        if self.get("aof_enabled")? == "1" {
            return has_failed("aof_last_write_status")
                .then(|| "the last write to the append-only file failed".to_owned());
        }
        if has_failed("rdb_last_bgsave_status") {
            return Some("the last snapshot failed, and the append-only file is off".to_owned());
        }
        let changes = self.get("rdb_changes_since_last_save").filter(|changes| *changes != "0")?;
        let saved = self.get("rdb_last_save_time")?.parse().ok()?;
        let saved = Timestamp::from_second(saved).ok()?;
        let is_long_ago = now.duration_since(saved) > SAVED_WITHIN;
        is_long_ago.then(|| {
            format!("{changes} changes are on no disk: nothing was saved since {saved}, and the append-only file is off")
        })
    }
}

impl Deref for StoreInfo {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl FromIterator<(String, String)> for StoreInfo {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(told: I) -> Self {
        Self(told.into_iter().collect())
    }
}

impl IntoIterator for StoreInfo {
    type Item = (String, String);
    type IntoIter = btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(pairs: &[(&str, &str)]) -> StoreInfo {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, numbers) in [
            ("2.8.24", Some((2, 8))),
            ("3", Some((3, 0))),
            ("4.0", Some((4, 0))),
            ("6.0.16", Some((6, 0))),
            ("7.0.15", Some((7, 0))),
            ("10.0.0-rc1", Some((10, 0))),
            ("255.255.255", Some((255, 255))),
            ("unstable", None),
        ] {
            assert_eq!(info(&[("redis_version", version)]).version(), numbers, "{version}");
        }
        assert_eq!(info(&[]).version(), None);
        assert!((10, 0) > (6, 2) && (6, 0) < (6, 2) && (3, 2) < (4, 0));
    }

    #[test]
    fn keys_are_dropped_where_memory_is_limited_and_the_policy_says_so() {
        let of = |limit, policy| info(&[("maxmemory", limit), ("maxmemory_policy", policy)]);
        assert_eq!(of("1048576", "allkeys-lru").evicts(), Some("allkeys-lru"));
        assert_eq!(of("1048576", "noeviction").evicts(), None);
        assert_eq!(of("0", "allkeys-lru").evicts(), None);
        assert_eq!(info(&[]).evicts(), None);
    }

    #[test]
    fn what_is_on_no_disk_is_told() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let of = |aof, bgsave, changes, saved| {
            info(&[
                ("aof_enabled", aof),
                ("aof_last_write_status", "ok"),
                ("rdb_last_bgsave_status", bgsave),
                ("rdb_changes_since_last_save", changes),
                ("rdb_last_save_time", saved),
            ])
            .forgets(now)
        };
        assert_eq!(of("0", "ok", "7", "995000"), None, "it was saved 83 minutes ago");
        assert_eq!(of("0", "ok", "0", "1"), None, "nothing has changed");
        assert_eq!(of("1", "err", "7", "1"), None, "the append-only file has it");
        assert!(of("0", "ok", "7", "900000").unwrap().starts_with("7 changes are on no disk"));
        assert!(of("0", "err", "0", "1000000").unwrap().starts_with("the last snapshot failed"));
        let unwritten = info(&[("aof_enabled", "1"), ("aof_last_write_status", "err")]);
        assert!(unwritten.forgets(now).is_some());
        assert_eq!(info(&[]).forgets(now), None);
    }
}
