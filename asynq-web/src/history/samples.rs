//! [`Samples`]: how queues stood and what they did, slot by slot.

use std::collections::HashMap;
use std::time::Duration;

use asynq_core::inspector::{QueueInfo, ServerRunTimes};
use asynq_core::task::QueueName;
use jiff::Timestamp;

use super::point::Point;
use super::ring::{Resolution, Ring};
use super::runs::{RunSamples, Runs, RunsOf};
use super::span::Span;

/// So many queues are kept one by one: those that have most to do. The rest is kept together.
///
/// A queue takes 48 bytes for each of its 5,040 slots at most: 240 kB, and all of them 10 MB.
pub(crate) const TRACKED: usize = 40;

/// Ten seconds for six hours, a minute for two days.
const RESOLUTIONS: [Resolution; 2] =
    [Resolution { step: FINEST, kept: 2_160 }, Resolution { step: 60_000, kept: 2_880 }];

const FINEST: i64 = 10_000;

/// Between two samples that lie further apart nobody looked: what happened there is not told as if it were known when.
const APART: i64 = 150_000;

/// How much of what a queue did before counts each time when queues are compared.
const MEMORY: f64 = 0.9;

/// Which queues are asked about.
pub(crate) enum Scope<'a> {
    /// All there are.
    All,
    /// This one.
    Queue(&'a str),
    /// Those that fit, of the ones that are kept one by one.
    Those(&'a dyn Fn(&str) -> bool),
}

/// How queues stood and what they did.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// When the last one was taken; `None` where the store did not answer since, or nobody asked yet.
    last: Option<i64>,
    known: HashMap<QueueName, Known>,
    /// The queues that hold tasks which failed.
    failing: Vec<QueueName>,
    all: Option<Ring<Point>>,
    tracked: HashMap<QueueName, Ring<Point>>,
    runs: RunSamples,
}

/// What is known of a queue since the last sample.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    processed: u64,
    failed: u64,
    /// How much it has to do.
    busy: f64,
}

impl Samples {
    /// Takes in how queues stand at this moment, and what servers tell.
    pub(super) fn take(&mut self, queues: &[QueueInfo], told: Vec<ServerRunTimes>, at: Timestamp) {
        let at = at.as_millisecond();
        let before = self.last.replace(at).filter(|last| (1..=APART).contains(&(at - last)));
        let over = before.map(|last| Duration::from_millis(u64::try_from(at - last).unwrap_or(0)));
        let mut known = HashMap::with_capacity(queues.len());
        let mut points = Vec::with_capacity(queues.len());
        for queue in queues {
            let last = self.known.get(&queue.queue).copied().unwrap_or_default();
            let (now, point) = observed(queue, last, over);
            known.insert(queue.queue.clone(), now);
            points.push((&queue.queue, point));
        }
        self.known = known;
        let has_failed = |queue: &&QueueInfo| queue.retry + queue.archived > 0;
        self.failing = queues.iter().filter(has_failed).map(|queue| queue.queue.clone()).collect();
        let none = over.map_or_else(Point::default, |over| Point::default().doing(over, 0, 0));
        let all = points.iter().fold(none, |sum, (_, point)| sum.plus(point));
        push(self.all.get_or_insert_with(|| Ring::new(RESOLUTIONS)), all, at, before);
        self.choose(at);
        for (queue, point) in points {
            if let Some(ring) = self.tracked.get_mut(queue) {
                push(ring, point, at, before);
            }
        }
        self.runs.take(told, at, before.is_some());
    }

    /// The store did not answer: what it did meanwhile is not known.
    pub(super) fn miss(&mut self) {
        self.last = None;
    }

    /// Chooses which queues are kept one by one.
    fn choose(&mut self, at: i64) {
        self.tracked.retain(|_, ring| !ring.forget(at));
        let busy = |queue: &QueueName| self.known.get(queue).map_or(-1.0, |known| known.busy);
        let mut rest: Vec<(&QueueName, f64)> = self
            .known
            .iter()
            .filter(|(queue, _)| !self.tracked.contains_key(*queue))
            .map(|(queue, known)| (queue, known.busy))
            .collect();
        rest.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let free = TRACKED.saturating_sub(self.tracked.len());
        let mut chosen: Vec<QueueName> = rest.iter().take(free).map(|(queue, _)| (*queue).clone()).collect();
        let mut given_up = None;
        if chosen.is_empty()
            && let Some((busiest, most)) = rest.first()
            && let Some(calmest) = self.tracked.keys().min_by(|a, b| busy(a).total_cmp(&busy(b)).then_with(|| a.cmp(b)))
            // Two that are much the same do not take each other's place again and again.
            && *most > busy(calmest).mul_add(2.0, 1.0)
        {
            given_up = Some(calmest.clone());
            chosen.push((*busiest).clone());
        }
        if let Some(queue) = given_up {
            self.tracked.remove(&queue);
        }
        for queue in chosen {
            self.tracked.insert(queue, Ring::new(RESOLUTIONS));
        }
    }

    /// When the last sample was taken.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.last.and_then(|at| Timestamp::from_millisecond(at).ok())
    }

    /// The queues that hold tasks which failed, if that was seen since this moment.
    pub(super) fn failing(&self, since: Timestamp) -> Option<Vec<QueueName>> {
        self.last().filter(|last| *last >= since).map(|_| self.failing.clone())
    }

    /// Whether a queue is kept by itself.
    pub(super) fn tracks(&self, queue: &str) -> bool {
        self.tracked.keys().any(|tracked| tracked.as_str() == queue)
    }

    /// What queues did in each step, and how they stood.
    pub(super) fn series(&self, scope: &Scope<'_>, span: Span) -> Vec<Option<Point>> {
        let read = |ring: &Ring<Point>| ring.read(span.from, span.step, span.steps);
        let those = |fits: &dyn Fn(&str) -> bool| {
            let mut sum = vec![None; span.steps];
            for (_, ring) in self.tracked.iter().filter(|(queue, _)| fits(queue.as_str())) {
                for (sum, point) in sum.iter_mut().zip(read(ring)) {
                    *sum = match (sum.take(), point) {
                        (Some(sum), Some(point)) => Some(Point::plus(sum, &point)),
                        (one, other) => one.or(other),
                    };
                }
            }
            sum
        };
        match scope {
            Scope::All => self.all.as_ref().map_or_else(|| vec![None; span.steps], read),
            Scope::Queue(name) => those(&|queue| queue == *name),
            Scope::Those(fits) => those(fits),
        }
    }

    pub(super) fn run_series(&self, span: Span, wanted: impl Fn(&str, &str) -> bool) -> Vec<Option<Runs>> {
        self.runs.series(span, wanted)
    }

    pub(super) fn run_table(&self, span: Span, wanted: impl Fn(&str, &str) -> bool) -> Vec<RunsOf> {
        self.runs.table(span, wanted)
    }
}

/// What a queue did since it was looked at last, if that is known.
fn observed(queue: &QueueInfo, last: Known, over: Option<Duration>) -> (Known, Point) {
    // A counter that went back has begun anew: its queue was deleted, or it was full. A queue that was not there before
    // has counted nothing.
    let grown = |now: u64, last: u64| now.checked_sub(last).unwrap_or(now);
    let processed = grown(queue.processed_total, last.processed);
    let failed = grown(queue.failed_total, last.failed);
    let standing = Point::standing(queue);
    let point = over.map_or(standing, |over| standing.doing(over, processed, failed));
    let done = if over.is_some() { float(processed) } else { 0.0 };
    let now = done + f64::from(standing.size());
    let busy = last.busy.mul_add(MEMORY, now * (1.0 - MEMORY));
    (Known { processed: queue.processed_total, failed: queue.failed_total, busy }, point)
}

/// A sample that took longer than a slot fills all those that it went through.
fn push(ring: &mut Ring<Point>, point: Point, at: i64, before: Option<i64>) {
    let slots = before.map_or(0, |before| at.div_euclid(FINEST) - before.div_euclid(FINEST));
    let parts = u32::try_from(slots).unwrap_or(0).max(1);
    for (point, left) in point.parts(parts).iter().zip((0..i64::from(parts)).rev()) {
        ring.push(at - left * FINEST, point);
    }
}

#[expect(clippy::cast_precision_loss, reason = "how busy a queue is, about")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use asynq_core::broker::{Demand, MemoryBroker, QueueShare, Settlement, Transition};
    use asynq_core::client::Client;
    use asynq_core::clock::Clock;
    use asynq_core::inspector::Inspector;
    use asynq_core::task::{Task, TaskOptions};

    use super::*;

    struct World {
        client: Client,
        clock: Clock,
        samples: Samples,
    }

    impl World {
        fn new() -> Self {
            let clock = Clock::manual("2033-05-18T12:00:05Z".parse().unwrap());
            let client = Client::new(Arc::new(MemoryBroker::new(clock.clone())));
            Self { client, clock, samples: Samples::default() }
        }

        /// Takes a sample, so many seconds after the last one.
        async fn sample(&mut self, after: u64) {
            self.clock.advance(Duration::from_secs(after));
            let queues = Inspector::new(&self.client).queue_counts().await.unwrap();
            self.samples.take(&queues, Vec::new(), self.clock.now());
        }

        /// Tasks that are enqueued, and done at once.
        async fn done(&self, queue: &str, tasks: usize) {
            let name = QueueName::new(queue).unwrap();
            for _ in 0..tasks {
                self.pending(queue, 1).await;
                let queues = vec![QueueShare::new(name.clone(), 1)];
                let demand = Demand { server_id: "s".to_owned(), slots: 1, queues, ..Demand::none() };
                let leased = self.client.broker().exchange(&[], &demand).await.unwrap().leased.pop().unwrap();
                let settlement = Settlement {
                    queue: name.clone(),
                    id: leased.id,
                    run: Some(leased.run),
                    lease_until: leased.lease_until,
                    transition: Transition::Done { unique_key: String::new() },
                };
                self.client.broker().exchange(&[settlement], &Demand::none()).await.unwrap();
            }
        }

        async fn pending(&self, queue: &str, tasks: usize) {
            for _ in 0..tasks {
                let options = TaskOptions::new().queue(queue);
                self.client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
            }
        }

        /// What was processed each second in each of the last slots.
        fn processed(&self, scope: &Scope<'_>, slots: u64) -> Vec<Option<f64>> {
            let span = Span::last(Duration::from_secs(slots * 10), Duration::from_secs(10), self.clock.now());
            let points = self.samples.series(scope, span);
            points.iter().map(|point| point.as_ref()?.processed_rate()).collect()
        }
    }

    #[tokio::test]
    async fn counters_that_begin_anew_lose_nothing_and_are_never_negative() {
        let mut world = World::new();
        world.done("mail", 50).await;
        world.sample(0).await;
        world.done("mail", 5).await;
        world.sample(10).await;
        Inspector::new(&world.client).force_delete_queue("mail").await.unwrap();
        world.done("mail", 3).await;
        world.sample(10).await;
        world.done("new", 2).await;
        world.sample(10).await;
        let mail = world.processed(&Scope::Queue("mail"), 4);
        assert_eq!(
            mail,
            [None, Some(0.5), Some(0.3), Some(0.0)],
            "what was before the first look is not known"
        );
        assert_eq!(world.processed(&Scope::All, 3), [Some(0.5), Some(0.3), Some(0.2)]);
    }

    #[tokio::test]
    async fn an_outage_is_a_gap_and_no_zero() {
        let mut world = World::new();
        world.done("mail", 1).await;
        world.sample(0).await;
        world.sample(10).await;
        for _ in 0..2 {
            world.clock.advance(Duration::from_secs(10));
            world.samples.miss();
        }
        world.done("mail", 8).await;
        world.sample(10).await;
        world.done("mail", 4).await;
        world.sample(10).await;
        let all = world.processed(&Scope::All, 6);
        assert_eq!(
            all,
            [None, Some(0.0), None, None, None, Some(0.4)],
            "when the eight were done nobody saw"
        );
        let span = Span::last(Duration::from_secs(60), Duration::from_secs(10), world.clock.now());
        let known: Vec<bool> = world.samples.series(&Scope::All, span).iter().map(Option::is_some).collect();
        assert_eq!(known, [true, true, false, false, true, true]);
    }

    #[tokio::test]
    async fn a_sample_that_comes_late_fills_the_slots_before_it() {
        let mut world = World::new();
        world.done("mail", 1).await;
        world.sample(0).await;
        world.done("mail", 8).await;
        world.sample(40).await;
        assert_eq!(world.processed(&Scope::All, 5), [None, Some(0.2), Some(0.2), Some(0.2), Some(0.2)]);
        world.sample(3_600).await;
        assert_eq!(world.processed(&Scope::All, 3), [None; 3], "nobody looked for an hour");
    }

    #[tokio::test]
    async fn the_busiest_queues_are_kept_one_by_one_and_all_in_the_sum() {
        let mut world = World::new();
        for n in 0..TRACKED + 20 {
            world.pending(&format!("q{n:02}"), n + 1).await;
        }
        world.sample(0).await;
        assert_eq!(world.samples.tracked.len(), TRACKED);
        assert!(world.samples.tracks("q59") && world.samples.tracks("q20") && !world.samples.tracks("q19"));
        let size = |world: &World| {
            let span = Span::last(Duration::from_secs(10), Duration::from_secs(10), world.clock.now());
            world.samples.series(&Scope::All, span)[0].map(|point| point.size())
        };
        assert_eq!(size(&world), Some((1..=60).sum()));
        world.sample(10).await;
        assert!(!world.samples.tracks("q19"), "what is much the same takes nobody's place");
        world.pending("q00", 2_000).await;
        world.sample(10).await;
        assert!(world.samples.tracks("q00") && !world.samples.tracks("q20"));
        assert_eq!(world.samples.tracked.len(), TRACKED);
        Inspector::new(&world.client).force_delete_queue("q00").await.unwrap();
        world.sample(10).await;
        world.sample(10).await;
        assert!(!world.samples.tracks("q00"), "one that is gone makes room");
        // A slot is as large as is said where the memory is told.
        assert!(size_of::<(u32, Point)>() <= 48);
    }
}
