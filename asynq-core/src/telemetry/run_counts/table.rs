//! [`Table`]: what is counted for each queue and type, found without an allocation.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::histogram::AtomicHistogram;
use crate::telemetry::{Run, RunOutcome};

/// What types, and queues, are called that are one too many.
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
pub(super) struct Table {
    pub(super) bounds: Arc<[Duration]>,
    max_types: usize,
    max_series: usize,
    names: RwLock<Names>,
}

#[derive(Debug, Default)]
struct Names {
    /// By queue and type, as they come with a run.
    series: HashMap<Arc<str>, HashMap<Arc<str>, Arc<Series>>>,
    /// How many there are.
    count: usize,
    /// Types that have a name of their own.
    types: HashSet<Arc<str>>,
}

impl Table {
    pub(super) fn new(bounds: Arc<[Duration]>, max_types: usize, max_series: usize) -> Self {
        Self { bounds, max_types, max_series, names: RwLock::default() }
    }

    /// What counts this run.
    pub(super) fn of(&self, run: &Run<'_>) -> Arc<Series> {
        {
            let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(series) = names.find(run.queue, run.task_type) {
                return series;
            }
            // What is one too many has no entry, whoever enqueued it.
            let (queue, task_type) = self.name(&names, run);
            if let Some(series) = names.find(queue, task_type) {
                return series;
            }
        }
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        let (queue, task_type) = self.name(&names, run);
        let (queue, task_type) = (Arc::<str>::from(queue), Arc::<str>::from(task_type));
        if let Some(series) = names.find(&queue, &task_type) {
            return series;
        }
        let series = Arc::new(Series {
            queue: Arc::clone(&queue),
            task_type: Arc::clone(&task_type),
            ran: AtomicHistogram::new(&self.bounds),
            waited: AtomicHistogram::new(&self.bounds),
            in_flight: AtomicI64::new(0),
            finished: Default::default(),
        });
        if &*task_type != OTHER {
            names.types.insert(Arc::clone(&task_type));
        }
        names.count += 1;
        names.series.entry(queue).or_default().insert(task_type, Arc::clone(&series));
        series
    }

    /// The names under which a run is counted.
    fn name<'a>(&self, names: &Names, run: &Run<'a>) -> (&'a str, &'a str) {
        let has_no_name = names.types.len() >= self.max_types && !names.types.contains(run.task_type);
        let task_type = if has_no_name { OTHER } else { run.task_type };
        // The last place is for all that have none.
        if names.count.saturating_add(1) >= self.max_series && names.find(run.queue, task_type).is_none() {
            return (OTHER, OTHER);
        }
        (run.queue, task_type)
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> Vec<Arc<Series>> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.series.values().flat_map(HashMap::values).map(Arc::clone).collect()
    }
}

impl Names {
    fn find(&self, queue: &str, task_type: &str) -> Option<Arc<Series>> {
        self.series.get(queue)?.get(task_type).map(Arc::clone)
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
