//! [`Question`]: what is measured, and how. Each file has those that are alike.

mod cycle;
mod drain;
mod enqueue;
mod scale;
mod waiting;

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::process::{Programs, pause};
use crate::redis::Redis;
use crate::system::System;

/// One measurement. It may answer several rows of the results.
pub(crate) trait Question {
    /// The rows that it answers, in the order of what [`measure`](Self::measure) gives.
    fn rows(&self) -> Vec<Row>;

    /// Who is asked.
    fn systems(&self) -> &[System] {
        &System::BOTH
    }

    /// The mode of the process that is measured.
    fn mode(&self, system: System) -> Mode;

    /// Measures once.
    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>>;

    /// Whether it is asked in a quick run, too.
    fn is_quick(&self, _system: System) -> bool {
        true
    }

    /// How often, at most: what takes minutes is not asked as often as the rest.
    fn rounds(&self) -> usize {
        usize::MAX
    }
}

/// Where things are measured.
pub(crate) struct Lab {
    pub(crate) programs: Programs,
    /// A Redis without persistence, near by.
    pub(crate) redis: Redis,
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

impl Row {
    fn more(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, more_is_better: true }
    }

    fn less(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, more_is_better: false }
    }
}

/// What a process is asked to do.
#[derive(Clone, Debug)]
pub(crate) struct Mode {
    name: &'static str,
    settings: Vec<(&'static str, usize)>,
}

impl Mode {
    /// Tells what it was built from.
    pub(crate) const VERSION: Self = Self { name: "version", settings: Vec::new() };

    fn new(name: &'static str, settings: &[(&'static str, usize)]) -> Self {
        Self { name, settings: settings.to_vec() }
    }

    /// With these settings too; those that are zero are left out.
    fn with(mut self, settings: &[(&'static str, usize)]) -> Self {
        self.settings.extend(settings.iter().filter(|(_, value)| *value > 0));
        self
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.settings.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// How long something took.
#[derive(Debug, Deserialize)]
struct Took {
    seconds: f64,
}

#[derive(Debug, Deserialize)]
struct Latencies {
    latencies_ms: Vec<f64>,
}

/// All questions.
pub(crate) fn all(quick: bool) -> Vec<Box<dyn Question>> {
    let mut questions = Vec::new();
    enqueue::add(&mut questions, quick);
    drain::add(&mut questions, quick);
    cycle::add(&mut questions, quick);
    waiting::add(&mut questions, quick);
    scale::add(&mut questions, quick);
    questions
}

/// So many tasks, or a tenth.
fn few(tasks: usize, quick: bool) -> usize {
    if quick { tasks / 10 } else { tasks }
}

/// Removes everything, and lets the machine come to rest.
fn clean(redis: &mut Redis) -> Result<()> {
    redis.flush()?;
    pause(Duration::from_millis(200));
    Ok(())
}

/// The smallest value that is not less than `percent` of them.
fn quantile(values: &mut [f64], percent: usize) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().context("a quantile of nothing")
}

/// The latencies of so many tasks.
fn latencies(Latencies { latencies_ms }: Latencies, tasks: usize) -> Result<Vec<f64>> {
    ensure!(latencies_ms.len() == tasks, "{} latencies for {tasks} tasks", latencies_ms.len());
    Ok(latencies_ms)
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
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_that_goals_refer_to_are_there_and_each_once() {
        let names: Vec<String> =
            all(false).iter().flat_map(|question| question.rows()).map(|row| row.name).collect();
        for name in [
            "enqueue p=1",
            "enqueue_all batch=1000 share of the limit",
            "drain c=50 redis_us",
            "memory after 1000000 tasks",
            "at once",
            "pickup p99",
            "pickup under load p99",
            "lateness known p99",
            "lateness unknown p99",
            "idle 4 queues",
            "cycle unique",
            "cycle bytes=10240",
            "cycle group",
            "drain far c=100",
            "drain appendfsync always",
            "drain beside 10000 in flight",
            "drain depth=10000000",
            "drain queues=1000",
            "drain workers=50 redis_us",
            "herd workers=50",
            "cluster masters=3 limit",
        ] {
            assert!(names.iter().any(|other| other == name), "no row `{name}`");
        }
        let once: BTreeSet<&String> = names.iter().collect();
        assert_eq!(once.len(), names.len());
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let mut values: Vec<f64> = (1..=500).rev().map(f64::from).collect();
        assert!((quantile(&mut values, 50).unwrap() - 250.0).abs() < f64::EPSILON);
        assert!((quantile(&mut values, 99).unwrap() - 495.0).abs() < f64::EPSILON);
        assert!((quantile(&mut [7.0], 99).unwrap() - 7.0).abs() < f64::EPSILON);
        assert!(quantile(&mut [], 50).is_err());
    }
}
