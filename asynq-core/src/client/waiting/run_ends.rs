//! [`RunEnds`]: one subscription for all who wait with one client.
//!
//! Nothing runs beside those who wait. One of them, whichever holds the subscription's lock, reads messages for all; when
//! it is done or dropped, the next one goes on. The subscription ends with the last of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::broker::{Broker, BrokerError, Messages};

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
    /// [reads](Self::read).
    pub(super) async fn subscribe(&self, broker: &dyn Broker) -> Result<(), BrokerError> {
        let RunEnds { subscription, is_open, .. } = &*self.run_ends;
        if is_open.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut subscription = subscription.lock().await;
        if subscription.is_none() {
            *subscription = Some(broker.run_ends().await?);
            is_open.store(true, Ordering::Release);
        }
        Ok(())
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
