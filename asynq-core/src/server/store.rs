//! What a server asks of its Redis at the start: one that is too old is refused, and of one that may drop what it stores
//! is told.

use crate::broker::Broker;
use crate::error::{Error, Result};

/// The oldest version of Redis that has every command which nothing can be done without.
const OLDEST: (u32, u32) = (4, 0);

/// Looks at the server behind the broker.
///
/// # Errors
///
/// [`Error::StoreTooOld`]. Where the server does not tell what it is, nothing is said: not every user may ask it.
pub(super) async fn check(broker: &dyn Broker) -> Result<()> {
    match broker.store_info().await {
        Ok(info) => {
            if info.version().is_some_and(|version| version < OLDEST) {
                let found = info.get("redis_version").cloned().unwrap_or_default();
                return Err(Error::StoreTooOld { found });
            }
            if let Some(policy) = info.evicts() {
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
