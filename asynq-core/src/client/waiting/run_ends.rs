//! [`RunEnds`]: one subscription for all who wait with one client.
//!
//! Nothing runs beside those who wait. One of them, whichever holds the subscription's lock, reads messages for all; when
//! it is done or dropped, the next one goes on. The subscription ends with the last of them. Whoever holds the lock may
//! be polled no more, in a `select!` that has gone elsewhere say: the others then look at their tasks now and then.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::timeout;

use crate::broker::{Broker, BrokerError, Messages};

/// How long somebody else may take to subscribe.
const PATIENCE: Duration = Duration::from_millis(250);

/// Who waits for which task, and the subscription that they share.
#[derive(Default)]
pub(in crate::client) struct RunEnds {
    /// By the task's key.
    waits: Mutex<HashMap<String, Waits>>,
    subscription: tokio::sync::Mutex<Option<Box<dyn Messages>>>,
    is_open: AtomicBool,
}

/// Those who wait for one task.
struct Waits {
    count: usize,
    told: Arc<Notify>,
}

/// One who waits for a task, until it is dropped.
pub(super) struct Ear {
    run_ends: Arc<RunEnds>,
    key: String,
    told: Arc<Notify>,
}

impl RunEnds {
    /// Waits for a task with this key.
    pub(super) fn of(self: &Arc<Self>, key: String) -> Ear {
        let told = {
            let mut waits = self.lock();
            let entry = waits.entry(key.clone()).or_insert_with(|| Waits { count: 0, told: Arc::default() });
            entry.count += 1;
            Arc::clone(&entry.told)
        };
        Ear { run_ends: Arc::clone(self), key, told }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waits>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, key: &str) {
        if let Some(waits) = self.lock().get(key) {
            waits.told.notify_waiters();
        }
    }
}

impl Ear {
    /// Makes sure that somebody is subscribed: what is published from now on is heard by whoever
    /// [reads](Self::read). `false` if another is at it and does not come to an end.
    pub(super) async fn subscribe(&self, broker: &dyn Broker) -> Result<bool, BrokerError> {
        let RunEnds { subscription, is_open, .. } = &*self.run_ends;
        if is_open.load(Ordering::Acquire) {
            return Ok(true);
        }
        let Ok(mut subscription) = timeout(PATIENCE, subscription.lock()).await else {
            return Ok(false);
        };
        if subscription.is_none() {
            *subscription = Some(broker.run_ends().await?);
            is_open.store(true, Ordering::Release);
        }
        Ok(true)
    }

    /// Completes when a run of the task ends, if what is published is [read](Self::read) by somebody.
    pub(super) fn told(&self) -> Notified<'_> {
        self.told.notified()
    }

    /// Reads for all, as soon as nobody else does. Completes only when there is no subscription, or no longer one.
    pub(super) async fn read(&self) {
        let RunEnds { subscription, is_open, .. } = &*self.run_ends;
        let mut subscription = subscription.lock().await;
        if let Some(messages) = &mut *subscription {
            while let Some(key) = messages.next().await {
                self.run_ends.tell(&key);
            }
            is_open.store(false, Ordering::Release);
            *subscription = None;
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let RunEnds { subscription, is_open, .. } = &*self.run_ends;
        let is_last = {
            let mut waits = self.run_ends.lock();
            if let Some(entry) = waits.get_mut(&self.key) {
                entry.count -= 1;
                if entry.count == 0 {
                    waits.remove(&self.key);
                }
            }
            waits.is_empty()
        };
        // Messages that nobody reads would pile up. Who has come meanwhile finds it closed, and opens it again.
        if is_last && let Ok(mut subscription) = subscription.try_lock() {
            is_open.store(false, Ordering::Release);
            *subscription = None;
        }
    }
}

impl fmt::Debug for RunEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunEnds").field("waits", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::MemoryBroker;
    use crate::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn who_is_polled_no_more_while_it_subscribes_holds_nobody_up() {
        let broker = MemoryBroker::new(Clock::system());
        let run_ends = Arc::new(RunEnds::default());
        let (stalled, other) = (run_ends.of("one".to_owned()), run_ends.of("two".to_owned()));
        let lock = stalled.run_ends.subscription.lock().await;
        assert!(!other.subscribe(&broker).await.unwrap());
        drop(lock);
        assert!(other.subscribe(&broker).await.unwrap());
    }
}
