//! What a server asks of its Redis at the start: one that is too old is refused, and of one that may drop what it stores
//! is told.

use std::collections::BTreeMap;

use crate::broker::Broker;
use crate::error::{Error, Result};

/// The oldest version of Redis that has every command which nothing can be done without.
const OLDEST: [u32; 2] = [4, 0];

/// Looks at the server behind the broker.
///
/// # Errors
///
/// [`Error::StoreTooOld`]. Where the server does not tell what it is, nothing is said: not every user may ask it.
pub(super) async fn check(broker: &dyn Broker) -> Result<()> {
    match broker.store_info().await {
        Ok(info) => {
            if let Some(found) = too_old(&info) {
                return Err(Error::StoreTooOld { found });
            }
            if let Some(policy) = evicts(&info) {
                tracing::warn!(
                    "Redis drops keys when its memory is full (`maxmemory-policy {policy}`), and tasks with them: \
                     set it to `noeviction`"
                );
            }
        }
        Err(error) => tracing::debug!(%error, "Redis does not tell its version"),
    }
    Ok(())
}

/// The version, if it is too old.
fn too_old(info: &BTreeMap<String, String>) -> Option<String> {
    let version = info.get("redis_version")?;
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    let found = [numbers.next()?, numbers.next().unwrap_or(0)];
    (found < OLDEST).then(|| version.clone())
}

/// The policy by which keys are dropped, if they can be.
fn evicts(info: &BTreeMap<String, String>) -> Option<&str> {
    let policy = info.get("maxmemory_policy").filter(|policy| *policy != "noeviction")?;
    let limited = info.get("maxmemory").is_some_and(|bytes| bytes != "0");
    limited.then_some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn versions_before_the_oldest_are_too_old() {
        for old in ["2.8.24", "3.2.13", "3"] {
            assert_eq!(too_old(&info(&[("redis_version", old)])).as_deref(), Some(old));
        }
        for new in ["4.0.0", "4.0", "7.0.15", "255.255.255", "10.0.0-rc1", "unstable"] {
            assert_eq!(too_old(&info(&[("redis_version", new)])), None, "{new}");
        }
        assert_eq!(too_old(&info(&[])), None);
    }

    #[test]
    fn keys_are_dropped_where_memory_is_limited_and_the_policy_says_so() {
        let of = |limit, policy| info(&[("maxmemory", limit), ("maxmemory_policy", policy)]);
        assert_eq!(evicts(&of("1048576", "allkeys-lru")), Some("allkeys-lru"));
        assert_eq!(evicts(&of("1048576", "noeviction")), None);
        assert_eq!(evicts(&of("0", "allkeys-lru")), None);
        assert_eq!(evicts(&info(&[])), None);
    }
}
