//! [`RunSamples`]: how long runs took, as far as servers leave it in the store.

use std::collections::BTreeMap;

use asynq_core::inspector::ServerRunTimes;
use asynq_core::telemetry::{Durations, RunTimes};

use super::ring::{Merge, Resolution, Ring};
use super::span::Span;

/// Of so many queues and types the times are kept one by one, of the rest together.
const TRACKED: usize = 50;

/// A server that is not seen any more is remembered for so long: it may only have been away.
const REMEMBERED: i64 = 600_000;

/// A minute for six hours, ten minutes for two days.
const RESOLUTIONS: [Resolution; 2] =
    [Resolution { step: 60_000, kept: 360 }, Resolution { step: 600_000, kept: 288 }];

/// What queues and types are called that are kept together.
const OTHER: &str = "other";

/// How many runs ended in a while, and how long they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) ran: Durations,
    pub(crate) waited: Durations,
}

/// Those of a queue and a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunsOf {
    pub(crate) queue: String,
    pub(crate) task_type: String,
    pub(crate) runs: Runs,
}

/// A queue and a type.
type Name = (String, String);

/// How long runs took.
#[derive(Debug, Default)]
pub(super) struct RunSamples {
    /// What each server told last, and when.
    servers: BTreeMap<String, (i64, BTreeMap<Name, RunTimes>)>,
    rings: BTreeMap<Name, Ring<Runs>>,
}

impl RunSamples {
    /// Takes in what servers tell at this moment. What is told by those that were not there before is all new, unless
    /// nobody `looked` right before.
    pub(super) fn take(&mut self, told: Vec<ServerRunTimes>, at: i64, looked: bool) {
        for ServerRunTimes { server, times, .. } in told {
            let before = self.servers.remove(&server).map(|(_, before)| before);
            let times: BTreeMap<Name, RunTimes> = times
                .into_iter()
                .map(|times| ((times.queue.clone(), times.task_type.clone()), times))
                .collect();
            if looked {
                for (name, now) in &times {
                    let new = match before.as_ref().and_then(|before| before.get(name)) {
                        Some(before) => now.since(before),
                        None => now.clone(),
                    };
                    self.push(name, &Runs::from(new), at);
                }
            }
            self.servers.insert(server, (at, times));
        }
        self.servers.retain(|_, (seen, _)| *seen + REMEMBERED > at);
        self.rings.retain(|_, ring| !ring.forget(at));
    }

    fn push(&mut self, name: &Name, new: &Runs, at: i64) {
        if new.is_empty() {
            return;
        }
        let has_place = self.rings.contains_key(name) || self.rings.len() < TRACKED;
        let name = if has_place { name.clone() } else { (OTHER.to_owned(), OTHER.to_owned()) };
        self.rings.entry(name).or_insert_with(|| Ring::new(RESOLUTIONS)).push(at, new);
    }

    /// What ran in each step, of the queues and types that are wanted.
    pub(super) fn series(&self, span: Span, wanted: impl Fn(&str, &str) -> bool) -> Vec<Option<Runs>> {
        let mut all = vec![None; span.steps];
        for ((queue, task_type), ring) in &self.rings {
            if wanted(queue, task_type) {
                for (sum, runs) in all.iter_mut().zip(ring.read(span.from, span.step, span.steps)) {
                    merge(sum, runs);
                }
            }
        }
        all
    }

    /// What ran in all of a span, by queue and type.
    pub(super) fn table(&self, span: Span, wanted: impl Fn(&str, &str) -> bool) -> Vec<RunsOf> {
        let wanted = self.rings.iter().filter(|((queue, task_type), _)| wanted(queue, task_type));
        let rows = wanted.filter_map(|((queue, task_type), ring)| {
            let mut sum = None;
            ring.read(span.from, span.step, span.steps).into_iter().for_each(|runs| merge(&mut sum, runs));
            Some(RunsOf { queue: queue.clone(), task_type: task_type.clone(), runs: sum? })
        });
        rows.collect()
    }
}

fn merge(sum: &mut Option<Runs>, runs: Option<Runs>) {
    match (sum.as_mut(), runs) {
        (Some(sum), Some(runs)) => sum.merge(&runs),
        (None, Some(runs)) => *sum = Some(runs),
        (_, None) => {}
    }
}

impl Runs {
    fn is_empty(&self) -> bool {
        self.finished == 0 && self.ran.total() == 0 && self.waited.total() == 0
    }
}

impl From<RunTimes> for Runs {
    fn from(times: RunTimes) -> Self {
        let RunTimes { finished, failed, ran, waited, .. } = times;
        Self { finished, failed, ran, waited }
    }
}

impl Merge for Runs {
    fn merge(&mut self, later: &Self) {
        self.finished = self.finished.saturating_add(later.finished);
        self.failed = self.failed.saturating_add(later.failed);
        self.ran.add(&later.ran);
        self.waited.add(&later.waited);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use asynq_core::client::Client;
    use asynq_core::inspector::Inspector;
    use asynq_core::telemetry::{Observer as _, Run, RunCounts, RunOutcome};
    use asynq_core::wire::ServerInfo;
    use jiff::Timestamp;

    use super::*;

    /// A store in which servers leave what they counted.
    struct Told(Client);

    impl Told {
        async fn by(&self, server: &str, counts: &RunCounts) {
            let info = ServerInfo { server_id: server.to_owned(), ..ServerInfo::default() };
            let times = RunTimes::encode(&RunTimes::of(counts)).into();
            self.0.broker().write_run_times(&info, &times, Duration::from_secs(600)).await.unwrap();
        }

        async fn read(&self) -> Vec<ServerRunTimes> {
            Inspector::new(&self.0).run_times().await.unwrap()
        }
    }

    fn run(counts: &RunCounts, task_type: &str, times: usize) {
        for _ in 0..times {
            let run = Run::new("mail", task_type);
            counts.started(&run, Some(Duration::from_millis(5)));
            counts.ended(&run, RunOutcome::Ok, Some(Duration::from_millis(100)));
        }
    }

    fn finished(samples: &RunSamples, at: i64) -> Vec<(String, u64)> {
        let to = Timestamp::from_millisecond(at).unwrap();
        let span = Span::last(Duration::from_secs(3_600), Duration::from_secs(60), to);
        let rows = samples.table(span, |_, _| true).into_iter();
        rows.map(|row| (row.task_type, row.runs.finished)).collect()
    }

    #[tokio::test]
    async fn what_servers_count_is_added_up_once() {
        let (told, mut samples) = (Told(Client::in_memory()), RunSamples::default());
        let mut at = 2_000_000_000_000;
        let (first, second) = (RunTimes::counter(), RunTimes::counter());
        run(&first, "t", 7);
        told.by("first", &first).await;
        samples.take(told.read().await, at, false);
        assert_eq!(finished(&samples, at), [], "when those were is not known");
        run(&first, "t", 2);
        run(&second, "t", 3);
        run(&second, "u", 1);
        told.by("first", &first).await;
        told.by("second", &second).await;
        for _ in 0..2 {
            at += 10_000;
            samples.take(told.read().await, at, true);
            assert_eq!(finished(&samples, at), [("t".to_owned(), 5), ("u".to_owned(), 1)]);
        }
        // It does not answer for a while, and then tells the same again.
        at += 10_000;
        samples.take(Vec::new(), at, true);
        at += 10_000;
        samples.take(told.read().await, at, true);
        assert_eq!(finished(&samples, at)[0].1, 5);
        // The same server anew, which has counted less.
        let anew = RunTimes::counter();
        run(&anew, "t", 1);
        told.by("first", &anew).await;
        at += 10_000;
        samples.take(told.read().await, at, true);
        assert_eq!(finished(&samples, at)[0].1, 6);
    }

    #[tokio::test]
    async fn types_that_are_too_many_are_counted_together() {
        let (told, mut samples) = (Told(Client::in_memory()), RunSamples::default());
        let counts = RunTimes::counter();
        for n in 0..TRACKED + 30 {
            run(&counts, &format!("t{n:02}"), 1);
        }
        told.by("s", &counts).await;
        let at = 2_000_000_000_000;
        samples.take(told.read().await, at, true);
        let rows = finished(&samples, at);
        assert_eq!(rows.len(), TRACKED + 1);
        assert!(rows.contains(&("other".to_owned(), 30)), "{rows:?}");
    }
}
