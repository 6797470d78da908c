//! [`RunTimesTold`]: what servers left of how long their runs took.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::scored_set::ScoredSet;
use super::store::{Expiring, Moment};
use crate::broker::processes::process_name;

/// What servers left of how long their runs took.
#[derive(Debug, Default)]
pub(super) struct RunTimesTold {
    /// Keys by expiry.
    pub(super) known: Option<Expiring<ScoredSet<Arc<str>>>>,
    pub(super) told: HashMap<Arc<str>, Expiring<Bytes>>,
}

impl RunTimesTold {
    pub(super) fn write(&mut self, key: String, times: Bytes, ttl_seconds: i64, now: Moment) {
        self.drop_expired(now);
        let (key, expires_at) = (Arc::<str>::from(key), now.nanos_after(ttl_seconds));
        let known = self.known.get_or_insert_with(|| Expiring { value: ScoredSet::default(), expires_at });
        known.expires_at = expires_at;
        known.value.insert(Arc::clone(&key), now.seconds.saturating_add(ttl_seconds));
        known.value.remove_up_to(now.seconds - 1);
        self.told.insert(key, Expiring { value: times, expires_at });
    }

    pub(super) fn read(&self, now: Moment) -> Vec<(String, Bytes)> {
        let known = self.known.iter().filter(|known| known.is_alive(now));
        let living = known.flat_map(|known| known.value.iter()).filter(|(_, until)| *until >= now.seconds);
        let told = living.filter_map(|(key, _)| {
            let times = self.told.get(key).filter(|times| times.is_alive(now))?;
            Some((process_name(key), times.value.clone()))
        });
        told.collect()
    }

    pub(super) fn drop_expired(&mut self, now: Moment) {
        self.known.take_if(|known| !known.is_alive(now));
        self.told.retain(|_, times| times.is_alive(now));
    }
}
