//! [`RunCounts`]: counts the runs of one worker.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::histogram::Spread;
use super::table::Table;
use crate::telemetry::{Observer, Run, RunOutcome};

/// Counts what one worker runs, by queue and type: an [`Observer`] of its server, for who makes metrics of it. Cheap to
/// clone; clones count together, so one may stand for several servers of a process.
///
/// A run that is [put back](RunOutcome::PutBack) is counted, but in no run time: it says how long a limit took to refuse it.
///
/// Counting a run allocates nothing, once its queue and type were seen, and takes two look-ups and eight atomic additions.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use asynq_core::telemetry::{Observer, Run, RunCounts, RunOutcome};
///
/// let counts = RunCounts::new([Duration::from_millis(10), Duration::from_secs(1)]);
/// let run = Run::new("mail", "email:send");
/// counts.started(&run, Some(Duration::from_millis(3)));
/// counts.ended(&run, RunOutcome::Ok, Some(Duration::from_millis(70)));
///
/// let [mail] = &counts.read()[..] else { panic!() };
/// assert_eq!((mail.ran.counts.as_slice(), mail.count(RunOutcome::Ok)), ([0, 1, 0].as_slice(), 1));
/// ```
#[derive(Clone, Debug)]
pub struct RunCounts(Arc<Table>);

/// What was counted for one queue and type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunSeries {
    /// The queue.
    pub queue: Arc<str>,
    /// The type.
    pub task_type: Arc<str>,
    /// How long runs took.
    pub ran: Spread,
    /// How long tasks were pending before.
    pub waited: Spread,
    /// How many run now.
    pub in_flight: u64,
    finished: [u64; RunOutcome::ALL.len()],
}

impl RunCounts {
    /// With these upper bounds of how long things take, in any order, and a name for every queue and type.
    pub fn new(bounds: impl IntoIterator<Item = Duration>) -> Self {
        Self::limited(bounds, usize::MAX, usize::MAX)
    }

    /// The same, but only so many types have a name of their own: those that come later are called `other`. Of queues and
    /// types together there are `max_series` at most: what comes later is counted in the queue `other`.
    pub fn limited(bounds: impl IntoIterator<Item = Duration>, max_types: usize, max_series: usize) -> Self {
        let mut bounds: Vec<Duration> = bounds.into_iter().collect();
        bounds.sort_unstable();
        bounds.dedup();
        Self(Arc::new(Table::new(bounds.into(), max_types, max_series)))
    }

    /// The upper bounds, ascending.
    pub fn bounds(&self) -> &[Duration] {
        &self.0.bounds
    }

    /// What was counted so far, in no order.
    pub fn read(&self) -> Vec<RunSeries> {
        let read = |series: Arc<super::table::Series>| RunSeries {
            queue: Arc::clone(&series.queue),
            task_type: Arc::clone(&series.task_type),
            ran: series.ran.read(),
            waited: series.waited.read(),
            in_flight: u64::try_from(series.in_flight.load(Ordering::Relaxed)).unwrap_or(0),
            finished: series.finished.each_ref().map(|count| count.load(Ordering::Relaxed)),
        };
        self.0.all().into_iter().map(read).collect()
    }
}

impl RunSeries {
    /// How many runs ended so.
    pub fn count(&self, outcome: RunOutcome) -> u64 {
        let mut counts = RunOutcome::ALL.into_iter().zip(self.finished);
        counts.find_map(|(known, count)| (known == outcome).then_some(count)).unwrap_or(0)
    }
}

impl Observer for RunCounts {
    fn started(&self, run: &Run<'_>, waited: Option<Duration>) {
        let series = self.0.of(run);
        series.in_flight.fetch_add(1, Ordering::Relaxed);
        if let Some(waited) = waited {
            series.waited.observe(waited);
        }
    }

    fn ended(&self, run: &Run<'_>, outcome: RunOutcome, took: Option<Duration>) {
        let series = self.0.of(run);
        series.in_flight.fetch_sub(1, Ordering::Relaxed);
        series.count(outcome);
        if let Some(took) = took.filter(|_| outcome != RunOutcome::PutBack) {
            series.ran.observe(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(counts: &RunCounts, queue: &str, task_type: &str) {
        let run = Run::new(queue, task_type);
        counts.started(&run, None);
        counts.ended(&run, RunOutcome::Ok, Some(Duration::from_millis(1)));
    }

    fn names(counts: &RunCounts) -> Vec<(String, String, u64)> {
        let of = |series: RunSeries| {
            let count = series.count(RunOutcome::Ok);
            (series.queue.to_string(), series.task_type.to_string(), count)
        };
        let mut names: Vec<_> = counts.read().into_iter().map(of).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_one_too_many_is_counted_among_others() {
        let counts = RunCounts::limited([], 2, 4);
        for (queue, task_type) in [
            ("a", "x"),
            ("a", "y"),
            // A third type.
            ("a", "z"),
            // Four series, were it not for the last place.
            ("b", "x"),
            ("c", "y"),
            ("a", "x"),
            ("d", "q"),
        ] {
            run(&counts, queue, task_type);
        }
        let of = |queue: &str, task_type: &str, count| (queue.to_owned(), task_type.to_owned(), count);
        let expected = [of("a", "other", 1), of("a", "x", 2), of("a", "y", 1), of("other", "other", 3)];
        assert_eq!(names(&counts), expected);
    }
}
