//! [`Mender`]: remembers the groups that were seen, and makes those known again that Go left behind.
//!
//! A Go server that reclaims a set, or forwards a task into its group, does not add the group to the set of groups:
//! its tasks would wait until somebody adds another one. Nothing in the store tells such a group from one that is not
//! there, so those that this server has seen are looked at again now and then.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use tokio::time::Instant;

use crate::broker::{Broker, BrokerError};
use crate::task::QueueName;

/// Time between looks at a queue's groups.
const INTERVAL: Duration = Duration::from_secs(10);

/// How many are looked at in one call.
const CHUNK: usize = 100;

/// How long a group is remembered that is not seen any more.
const MEMORY: Duration = Duration::from_secs(24 * 3_600);

/// How many groups of a queue are remembered.
const LIMIT: usize = 10_000;

/// The groups of each queue that were seen.
#[derive(Default)]
pub(super) struct Mender {
    queues: BTreeMap<QueueName, Seen>,
}

#[derive(Default)]
struct Seen {
    groups: BTreeMap<String, Instant>,
    looked: Option<Instant>,
    /// The last group that was looked at.
    last: String,
}

impl Mender {
    /// A group is known in the store now.
    pub(super) fn saw(&mut self, queue: &QueueName, group: &str) {
        if !self.queues.contains_key(queue) {
            self.queues.insert(queue.clone(), Seen::default());
        }
        let Some(seen) = self.queues.get_mut(queue) else { return };
        if let Some(at) = seen.groups.get_mut(group) {
            *at = Instant::now();
        } else if seen.groups.len() < LIMIT {
            seen.groups.insert(group.to_owned(), Instant::now());
        }
    }

    /// Looks at some groups that were seen before.
    pub(super) async fn mend(&mut self, broker: &dyn Broker, queue: &QueueName) -> Result<(), BrokerError> {
        let Some(seen) = self.queues.get_mut(queue) else { return Ok(()) };
        if seen.looked.is_some_and(|looked| looked.elapsed() < INTERVAL) {
            return Ok(());
        }
        seen.looked = Some(Instant::now());
        seen.groups.retain(|_, at| at.elapsed() < MEMORY);
        let after = (Bound::Excluded(seen.last.clone()), Bound::Unbounded);
        let names = seen.groups.range(after).take(CHUNK).map(|(name, _)| name.clone()).collect::<Vec<_>>();
        // Behind the last one, the first is next.
        seen.last = names.last().filter(|_| names.len() == CHUNK).cloned().unwrap_or_default();
        let mended = broker.mend_groups(queue, &names).await?;
        if mended > 0 {
            tracing::warn!(%queue, groups = mended, "groups held tasks and were not known; they are again");
        }
        Ok(())
    }
}
