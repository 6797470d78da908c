//! Deleting a queue: first it is emptied at once, then what belonged to it is looked for and deleted bit by bit.
//!
//! Tasks are hashes of their own, locks are named after payloads, and other versions have keys that this one does not
//! know: only a scan over the names of all keys finds everything. It holds the server no longer than any other call.

use redis::Value;

use super::RedisBroker;
use super::reply::Reader;
use super::script::{Call, Name};
use crate::broker::{BrokerError, Inspection, QueueDeletion};
use crate::task::QueueName;
use crate::wire::keys::QueueKeys;

const DOING: &str = "delete a queue";

/// How many keys one call looks at, about.
const CHUNK: usize = 200;

impl RedisBroker {
    pub(super) async fn delete_whole_queue(
        &self,
        queue: &QueueName,
        force: bool,
    ) -> Result<QueueDeletion, BrokerError> {
        if !self.queue_exists(queue).await? {
            return Ok(QueueDeletion::NotFound);
        }
        let keys = self.keyspace.queue(queue);
        let mut call = Call::new(
            Name::close_queue,
            [
                keys.active(),
                keys.groups(),
                keys.aggregation_sets(),
                keys.pending(),
                keys.scheduled(),
                keys.retry(),
                keys.archived(),
                keys.completed(),
                keys.lease(),
                keys.paused(),
                keys.processed_total(),
                keys.failed_total(),
            ],
        );
        call.arg(u8::from(force));
        let mut answer = Reader::new(call.run(&self.shared, DOING).await?, DOING)?;
        match answer.integer()? {
            1 => {}
            0 => return Ok(QueueDeletion::NotEmpty(answer.count()?)),
            -1 => return Ok(QueueDeletion::Busy(answer.count()?)),
            _ => return Err(BrokerError::protocol(DOING)),
        }
        self.sweep(queue, &keys).await?;
        // Last, so that a deletion that was cut off can be made again.
        let known = self.keyspace.queues();
        self.shared.query::<()>(DOING, redis::cmd("SREM").arg(known).arg(queue.as_str())).await?;
        Ok(QueueDeletion::Deleted)
    }

    async fn sweep(&self, queue: &QueueName, keys: &QueueKeys) -> Result<(), BrokerError> {
        let prefix = keys.prefix();
        // A name may contain `}:`, so the keys of another queue may begin as those of this one do.
        let others: Vec<String> = self
            .queues()
            .await?
            .into_iter()
            .filter(|other| other != queue)
            .map(|other| self.keyspace.queue(&other).prefix().to_owned())
            .filter(|other| other.starts_with(prefix))
            .collect();
        let pattern = format!("{}*", escaped(prefix));
        let mut held = Vec::new();
        let mut cursor = 0_u64;
        loop {
            let (next, found): (u64, Vec<Vec<u8>>) = self
                .shared
                .query_near(
                    DOING,
                    prefix,
                    redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(CHUNK),
                )
                .await?;
            let found: Vec<Vec<u8>> = found
                .into_iter()
                .filter(|key| {
                    belongs(key, prefix) && !others.iter().any(|other| key.starts_with(other.as_bytes()))
                })
                .collect();
            held.extend(self.sweep_keys(keys, found).await?);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        // The task of a lock may have been found after the lock.
        for held in held.chunks(CHUNK) {
            self.sweep_keys(keys, held.to_vec()).await?;
        }
        Ok(())
    }

    /// Deletes these keys, but for those of tasks that came meanwhile: the locks whose tasks are still there.
    async fn sweep_keys(&self, keys: &QueueKeys, found: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, BrokerError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let fixed = [keys.pending(), keys.groups(), keys.aggregation_sets()].map(String::into_bytes);
        let mut call = Call::with_keys(Name::sweep, fixed.into_iter().chain(found).collect::<Vec<_>>());
        call.arg(keys.prefix());
        let Value::Array(held) = call.run(&self.shared, DOING).await? else {
            return Err(BrokerError::protocol(DOING));
        };
        let bytes = |value| match value {
            Value::BulkString(key) => Ok(key),
            _ => Err(BrokerError::protocol(DOING)),
        };
        held.into_iter().map(bytes).collect()
    }
}

/// Whether a key with a queue's prefix is one that queues have, and not made anew by whoever uses the queue again.
fn belongs(key: &[u8], prefix: &str) -> bool {
    let Some(name) = key.strip_prefix(prefix.as_bytes()) else { return false };
    ["t:", "g:", "unique:", "x:", "processed:", "failed:"]
        .iter()
        .any(|kind| name.starts_with(kind.as_bytes()))
}

/// Text as a pattern that stands for itself alone.
pub(super) fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
