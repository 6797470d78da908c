//! [`Question`]: what is measured, and how.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::process::{Programs, System, pause};
use crate::redis::Redis;

/// Tasks in one call where many are enqueued at once.
const BATCH: usize = 100;
/// Slots of a worker that waits for tasks.
const WAITING_SLOTS: usize = 10;
/// Time between tasks that a waiting worker picks up.
const PICKUP_INTERVAL_MS: usize = 20;
/// The drain that is looked at closely.
const CLOSE_LOOK: usize = 50;

/// One measurement. It may answer several rows of the results.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Question {
    /// How fast callers enqueue, one call for each task.
    Enqueue { tasks: usize, callers: usize },
    /// How fast one caller enqueues many tasks at once. Go has no such call: its baseline is that of 50 callers.
    EnqueueAll { tasks: usize },
    /// How fast a worker runs tasks that do nothing, and what that costs.
    Drain { tasks: usize, concurrency: usize },
    /// How soon an idle worker starts a task.
    Pickup { tasks: usize },
    /// How much an idle worker asks of Redis.
    Idle { settle: Duration, window: Duration },
}

/// A line of the results.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// What its numbers count.
    pub(crate) unit: &'static str,
    /// Whether more is better.
    pub(crate) more_is_better: bool,
}

/// A number that takes part in a measurement.
#[derive(Debug, Deserialize)]
struct Took {
    seconds: f64,
}

#[derive(Debug, Deserialize)]
struct Latencies {
    latencies_ms: Vec<f64>,
}

impl Question {
    /// All of them.
    pub(crate) fn all(quick: bool) -> Vec<Self> {
        let few = |tasks: usize| if quick { tasks / 10 } else { tasks };
        let seconds = |long, short| Duration::from_secs(if quick { short } else { long });
        vec![
            Self::Enqueue { tasks: few(20_000), callers: 1 },
            Self::Enqueue { tasks: few(60_000), callers: 10 },
            Self::Enqueue { tasks: few(100_000), callers: 50 },
            Self::EnqueueAll { tasks: few(100_000) },
            Self::Drain { tasks: few(50_000), concurrency: 10 },
            Self::Drain { tasks: few(50_000), concurrency: CLOSE_LOOK },
            Self::Drain { tasks: few(50_000), concurrency: 200 },
            Self::Pickup { tasks: few(500) },
            Self::Idle { settle: seconds(3, 1), window: seconds(10, 3) },
        ]
    }

    /// The rows that it answers, in the order of what [`measure`](Self::measure) gives.
    pub(crate) fn rows(self) -> Vec<Row> {
        let more = |name: String, unit| Row { name, unit, more_is_better: true };
        let less = |name: String, unit| Row { name, unit, more_is_better: false };
        match self {
            Self::Enqueue { callers, .. } => vec![more(format!("enqueue p={callers}"), "tasks/s")],
            Self::EnqueueAll { .. } => vec![more("enqueue_all".to_owned(), "tasks/s")],
            Self::Drain { concurrency, .. } => {
                let drain = format!("drain c={concurrency}");
                let mut rows = vec![more(drain.clone(), "tasks/s")];
                if concurrency == CLOSE_LOOK {
                    rows.extend([
                        less(format!("{drain} redis_us"), "µs/task"),
                        less(format!("{drain} calls"), "calls/task"),
                        less(format!("{drain} script_calls"), "calls/task"),
                        less(format!("{drain} worker_us"), "µs/task"),
                        less(format!("memory after {drain}"), "MiB"),
                    ]);
                }
                rows
            }
            Self::Pickup { .. } => {
                vec![less("pickup p50".to_owned(), "ms"), less("pickup p99".to_owned(), "ms")]
            }
            Self::Idle { .. } => vec![less("idle".to_owned(), "calls/s")],
        }
    }

    /// The mode of the process that is measured.
    pub(crate) fn mode(self, system: System) -> Vec<String> {
        let (name, numbers) = match (self, system) {
            (Self::Enqueue { tasks, callers }, _) => ("enqueue", vec![tasks, callers]),
            (Self::EnqueueAll { tasks }, System::Ours) => ("enqueue-all", vec![tasks, BATCH]),
            (Self::EnqueueAll { tasks }, System::Go) => ("enqueue", vec![tasks, 50]),
            (Self::Drain { tasks, concurrency }, _) => ("drain", vec![tasks, concurrency]),
            (Self::Pickup { tasks }, _) => ("latency", vec![WAITING_SLOTS, tasks]),
            (Self::Idle { .. }, _) => ("worker", vec![WAITING_SLOTS]),
        };
        mode(name, &numbers)
    }

    /// Measures once.
    pub(crate) fn measure(self, programs: &Programs, redis: &mut Redis, system: System) -> Result<Vec<f64>> {
        redis.flush()?;
        pause(Duration::from_millis(200));
        let mode = self.mode(system);
        match self {
            Self::Enqueue { tasks, .. } | Self::EnqueueAll { tasks } => {
                let Took { seconds } = programs.run(system, &mode)?;
                redis.expect_pending(tasks)?;
                Ok(vec![count(tasks) / seconds])
            }
            Self::Drain { tasks, .. } => drain(programs, redis, system, &mode, tasks),
            Self::Pickup { tasks } => pickup(programs, system, &mode, tasks),
            Self::Idle { settle, window } => {
                let worker = programs.start_worker(system, &mode)?;
                pause(settle);
                let (before, start) = (redis.calls()?, Instant::now());
                pause(window);
                let (after, took) = (redis.calls()?, start.elapsed());
                worker.stop()?;
                Ok(vec![per(after.all - before.all, took.as_secs_f64())])
            }
        }
    }
}

/// The Go producer fills the queue for both sides.
fn drain(
    programs: &Programs,
    redis: &mut Redis,
    system: System,
    mode_of_worker: &[String],
    tasks: usize,
) -> Result<Vec<f64>> {
    let Took { .. } = programs.run(System::Go, &mode("enqueue", &[tasks, 50]))?;
    redis.expect_pending(tasks)?;
    pause(Duration::from_millis(300));

    let (calls, redis_seconds) = (redis.calls()?, redis.processor_seconds()?);
    let worker = programs.start_worker(system, mode_of_worker)?;
    let Took { seconds } = worker.line()?;
    let worker_time = worker.processor_time()?;
    pause(Duration::from_millis(300));
    let memory = worker.resident_mib()?;
    worker.stop()?;
    let (calls_after, redis_seconds_after) = (redis.calls()?, redis.processor_seconds()?);
    redis.expect_acknowledged(tasks)?;

    let tasks = count(tasks);
    Ok(vec![
        tasks / seconds,
        (redis_seconds_after - redis_seconds) * 1e6 / tasks,
        per(calls_after.all - calls.all, tasks),
        per(calls_after.scripts - calls.scripts, tasks),
        worker_time.as_secs_f64() * 1e6 / tasks,
        memory,
    ])
}

fn pickup(programs: &Programs, system: System, mode_of_worker: &[String], tasks: usize) -> Result<Vec<f64>> {
    let worker = programs.start_worker(system, mode_of_worker)?;
    pause(Duration::from_millis(1500));
    let producer = programs.start(System::Go, &mode("send", &[tasks, PICKUP_INTERVAL_MS]))?;
    let Latencies { mut latencies_ms } = worker.line()?;
    producer.stop()?;
    worker.stop()?;
    ensure!(latencies_ms.len() == tasks, "{} latencies for {tasks} tasks", latencies_ms.len());
    latencies_ms.sort_by(f64::total_cmp);
    Ok(vec![quantile(&latencies_ms, 50)?, quantile(&latencies_ms, 99)?])
}

fn mode(name: &str, numbers: &[usize]) -> Vec<String> {
    let mut mode = vec![name.to_owned()];
    mode.extend(numbers.iter().map(usize::to_string));
    mode
}

/// The smallest value that is not less than `percent` of them, which are sorted.
fn quantile(sorted: &[f64], percent: usize) -> Result<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().context("a quantile of nothing")
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn per(calls: u64, by: f64) -> f64 {
    calls as f64 / by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_names_that_goals_refer_to() {
        let names: Vec<String> =
            Question::all(false).into_iter().flat_map(Question::rows).map(|row| row.name).collect();
        assert_eq!(
            names,
            [
                "enqueue p=1",
                "enqueue p=10",
                "enqueue p=50",
                "enqueue_all",
                "drain c=10",
                "drain c=50",
                "drain c=50 redis_us",
                "drain c=50 calls",
                "drain c=50 script_calls",
                "drain c=50 worker_us",
                "memory after drain c=50",
                "drain c=200",
                "pickup p50",
                "pickup p99",
                "idle",
            ]
        );
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<f64> = (1..=500).map(f64::from).collect();
        assert!((quantile(&sorted, 50).unwrap() - 250.0).abs() < f64::EPSILON);
        assert!((quantile(&sorted, 99).unwrap() - 495.0).abs() < f64::EPSILON);
        assert!((quantile(&[7.0], 99).unwrap() - 7.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 50).is_err());
    }
}
