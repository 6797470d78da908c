//! [`Syncer`]: makes the scheduler's entries those that the provider gives.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::Mutex;

use super::provider::Provider;
use crate::error::Error;
use crate::router::BoxError;
use crate::scheduler::periodic_task::Prepared;
use crate::scheduler::{EntryId, PeriodicTask, Scheduler};

/// What a sync did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SyncReport {
    /// Entries that are new, or whose task has changed.
    pub added: Vec<EntryId>,
    /// Entries that are gone.
    pub removed: Vec<EntryId>,
    /// How many entries stayed as they were.
    pub unchanged: usize,
    /// Periodic tasks that were left out. An entry that was registered before under the same name is gone.
    pub rejected: Vec<Rejected>,
}

/// A periodic task that was left out.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// Its specification.
    pub spec: String,
    /// What is wrong with it.
    pub error: Error,
}

/// Makes the scheduler's entries those that the provider gives.
#[derive(Debug)]
pub(super) struct Syncer {
    pub(super) scheduler: Arc<Scheduler>,
    pub(super) provider: Provider,
    /// The entries that came from the provider. Held during a sync: one at a time.
    tracked: Mutex<Vec<EntryId>>,
}

impl Syncer {
    pub(super) fn new(scheduler: Arc<Scheduler>, provider: Provider) -> Self {
        Self { scheduler, provider, tracked: Mutex::default() }
    }

    /// Asks the provider, and registers and unregisters what differs. Entries that stay keep their times.
    pub(super) async fn sync(&self) -> Result<SyncReport, BoxError> {
        let mut tracked = self.tracked.lock().await;
        let given = AssertUnwindSafe(self.provider.periodic_tasks())
            .catch_unwind()
            .await
            .unwrap_or_else(|_panic| Err("the provider panicked".into()))?;
        let mut report = SyncReport::default();
        let wanted = self.wanted(given, &mut report);
        tracked.retain(|id| {
            let stays = wanted.contains_key(id);
            // Somebody else may have unregistered it.
            if !stays && self.scheduler.unregister(id).is_ok() {
                report.removed.push(id.clone());
            }
            stays
        });
        for (id, prepared) in wanted {
            if self.scheduler.content(&id).is_some_and(|content| content == prepared.content) {
                report.unchanged += 1;
                if !tracked.contains(&id) {
                    tracked.push(id);
                }
                continue;
            }
            // The same entry with another task: its history goes on.
            self.scheduler.remove_for_change(&id);
            let spec = prepared.spec.clone();
            match self.scheduler.add(prepared) {
                Ok(_) => {
                    if !tracked.contains(&id) {
                        tracked.push(id.clone());
                    }
                    report.added.push(id);
                }
                Err(error) => report.reject(spec, error),
            }
        }
        if !report.added.is_empty() || !report.removed.is_empty() {
            let (added, removed) = (report.added.len(), report.removed.len());
            tracing::info!(added, removed, unchanged = report.unchanged, "periodic tasks are in step again");
        }
        Ok(report)
    }

    /// What is right, by identity.
    fn wanted(&self, given: Vec<PeriodicTask>, report: &mut SyncReport) -> HashMap<EntryId, Prepared> {
        let mut wanted = HashMap::<EntryId, Prepared>::new();
        for task in given {
            let spec = task.spec().to_owned();
            match self.scheduler.prepare(task) {
                Ok(prepared) => match wanted.get(&prepared.id) {
                    None => {
                        wanted.insert(prepared.id.clone(), prepared);
                    }
                    // Twice the same is once.
                    Some(first) if first.content == prepared.content => {}
                    Some(first) => {
                        let reason = format!("another periodic task, `{}`, has the same name", first.spec);
                        let error = crate::scheduler::InvalidSchedule::new(&spec, &reason).into();
                        report.reject(spec, error);
                    }
                },
                Err(error) => report.reject(spec, error),
            }
        }
        wanted
    }
}

impl SyncReport {
    fn reject(&mut self, spec: String, error: Error) {
        tracing::warn!(spec, %error, "a periodic task is left out");
        self.rejected.push(Rejected { spec, error });
    }
}
