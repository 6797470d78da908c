//! [`SeriesTable`]: what is counted for each queue and type, found without an allocation.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use asynq_core::telemetry::{Run, RunOutcome};

use super::histogram::AtomicHistogram;

/// What types are called that are one too many.
const OTHER: &str = "other";

/// What is counted for one queue and type.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) queue: Arc<str>,
    pub(super) task_type: Arc<str>,
    pub(super) ran: AtomicHistogram,
    pub(super) waited: AtomicHistogram,
    pub(super) in_flight: AtomicI64,
    /// In the order of [`RunOutcome::ALL`].
    pub(super) finished: [AtomicU64; RunOutcome::ALL.len()],
}

/// All series of a worker.
#[derive(Debug)]
pub(super) struct SeriesTable {
    bounds: Arc<[Duration]>,
    max_types: usize,
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// By queue and type, as they come with a run.
    by_name: HashMap<Arc<str>, HashMap<Arc<str>, Arc<Series>>>,
    /// Types that have a name of their own in metrics.
    types: HashSet<Arc<str>>,
}

impl SeriesTable {
    pub(super) fn new(bounds: Arc<[Duration]>, max_types: usize) -> Self {
        Self { bounds, max_types, table: RwLock::default() }
    }

    /// What counts this run.
    pub(super) fn of(&self, run: &Run<'_>) -> Arc<Series> {
        {
            let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(series) = table.find(run.queue, run.task_type) {
                return series;
            }
            // A type that is one too many has no entry, whoever enqueued it.
            if table.is_full(run.task_type, self.max_types)
                && let Some(series) = table.find(run.queue, OTHER)
            {
                return series;
            }
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let task_type: Arc<str> = if table.is_full(run.task_type, self.max_types) {
            Arc::from(OTHER)
        } else {
            let task_type: Arc<str> = Arc::from(run.task_type);
            table.types.insert(Arc::clone(&task_type));
            task_type
        };
        let queue: Arc<str> = Arc::from(run.queue);
        let of_queue = table.by_name.entry(Arc::clone(&queue)).or_default();
        let new = || {
            Arc::new(Series {
                queue,
                task_type: Arc::clone(&task_type),
                ran: AtomicHistogram::new(&self.bounds),
                waited: AtomicHistogram::new(&self.bounds),
                in_flight: AtomicI64::new(0),
                finished: Default::default(),
            })
        };
        Arc::clone(of_queue.entry(Arc::clone(&task_type)).or_insert_with(new))
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> Vec<Arc<Series>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_name.values().flat_map(HashMap::values).map(Arc::clone).collect()
    }
}

impl Table {
    fn find(&self, queue: &str, task_type: &str) -> Option<Arc<Series>> {
        self.by_name.get(queue)?.get(task_type).map(Arc::clone)
    }

    /// Whether this type can have no name of its own any more.
    fn is_full(&self, task_type: &str, max_types: usize) -> bool {
        self.types.len() >= max_types && !self.types.contains(task_type)
    }
}

impl Series {
    pub(super) fn count(&self, outcome: RunOutcome) {
        let place = RunOutcome::ALL.iter().position(|other| *other == outcome);
        if let Some(count) = place.and_then(|place| self.finished.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
