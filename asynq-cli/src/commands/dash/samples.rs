//! [`Samples`]: what was seen of late, for the curves.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use asynq_core::inspector::QueueInfo;
use asynq_core::task::QueueName;

/// How many samples are kept of each queue: ten minutes, one every two seconds.
const KEPT: usize = 300;

/// A queue, or all of them together, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Tasks processed in a second.
    pub(super) processed: f32,
    /// Attempts failed in a second.
    pub(super) failed: f32,
    /// How many tasks it holds that are to be run at once.
    pub(super) backlog: f32,
    /// How long the oldest pending task has been waiting, in seconds.
    pub(super) latency: f32,
}

/// What was seen of late: of each queue, and of all together.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    all: VecDeque<Sample>,
    queues: BTreeMap<QueueName, VecDeque<Sample>>,
    /// The counters as they were read last, and when that was.
    counters: BTreeMap<QueueName, (u64, u64)>,
    at: Option<Duration>,
}

impl Samples {
    /// Takes a sample of all queues; `at` is the time since the start.
    pub(super) fn take(&mut self, queues: &[QueueInfo], at: Duration) {
        let passed = self.at.map(|last| at.saturating_sub(last).as_secs_f32()).filter(|passed| *passed > 0.0);
        let mut all = Sample::default();
        let mut counters = BTreeMap::new();
        for queue in queues {
            let now = (queue.processed_total, queue.failed_total);
            // A rate takes two readings; the counters of a queue that is new have been nothing until now.
            let before = self.counters.get(&queue.queue).copied().unwrap_or((0, 0));
            let rate = |now: u64, before: u64| {
                passed.map_or(0.0, |passed| float(now.saturating_sub(before)) / passed)
            };
            let sample = Sample {
                processed: rate(now.0, before.0),
                failed: rate(now.1, before.1),
                backlog: float(u64::try_from(queue.pending).unwrap_or(u64::MAX)),
                latency: queue.latency.as_secs_f32(),
            };
            all.processed += sample.processed;
            all.failed += sample.failed;
            all.backlog += sample.backlog;
            all.latency = all.latency.max(sample.latency);
            push(self.queues.entry(queue.queue.clone()).or_default(), sample);
            counters.insert(queue.queue.clone(), now);
        }
        push(&mut self.all, all);
        self.queues.retain(|name, _| counters.contains_key(name));
        (self.counters, self.at) = (counters, Some(at));
    }

    /// The samples of a queue, or of all together, oldest first.
    pub(super) fn of(&self, queue: Option<&QueueName>) -> Vec<Sample> {
        let samples = match queue {
            None => Some(&self.all),
            Some(queue) => self.queues.get(queue),
        };
        samples.map(|samples| samples.iter().copied().collect()).unwrap_or_default()
    }
}

fn push(samples: &mut VecDeque<Sample>, sample: Sample) {
    if samples.len() == KEPT {
        samples.pop_front();
    }
    samples.push_back(sample);
}

#[expect(clippy::cast_precision_loss, reason = "a point of a curve, not a count")]
fn float(number: u64) -> f32 {
    number as f32
}
