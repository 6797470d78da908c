//! [`StoreInfo`]: what a store tells about itself, and what follows from that.

use std::collections::{BTreeMap, btree_map};
use std::ops::Deref;

use serde::Serialize;

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

    /// The policy by which the store drops keys, and tasks with them, when its memory is full; `None` where it drops none,
    /// or its memory has no limit.
    pub fn evicts(&self) -> Option<&str> {
        let policy = self.get("maxmemory_policy").filter(|policy| *policy != "noeviction")?;
        let is_limited = self.get("maxmemory").is_some_and(|bytes| bytes != "0");
        is_limited.then_some(policy)
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
}
