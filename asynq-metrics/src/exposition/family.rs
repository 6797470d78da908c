//! [`Family`]: all samples of one name.

use std::sync::Arc;

/// All samples of one name.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// Its name, such as `asynq_queue_size`.
    pub name: &'static str,
    /// What it tells, in a sentence.
    pub help: &'static str,
    /// What its numbers are.
    pub kind: Kind,
    /// The samples, by their labels.
    pub samples: Vec<Sample>,
}

/// What the numbers of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many observations fell below which bound.
    Histogram,
}

/// One number, or one histogram, and what it is about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Names and values of its labels, by name.
    pub labels: Vec<(&'static str, Arc<str>)>,
    /// What was measured.
    pub value: Value,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a counter or a gauge.
    Number(f64),
    /// Of a histogram.
    Histogram(Histogram),
}

/// How many observations fell where.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// For each upper bound, ascending, how many observations were not above it. The last bound is infinite, and its
    /// number that of all observations.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of all observations.
    pub sum: f64,
}

impl Family {
    /// A family without samples yet.
    pub fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, help, kind, samples: Vec::new() }
    }

    /// Adds a sample; its labels are named in alphabetical order.
    pub fn push(&mut self, labels: impl IntoIterator<Item = (&'static str, Arc<str>)>, value: Value) {
        self.samples.push(Sample { labels: labels.into_iter().collect(), value });
    }

    /// The same with this one number, which has no labels.
    #[must_use]
    pub fn with(mut self, number: f64) -> Self {
        self.push([], Value::Number(number));
        self
    }
}
