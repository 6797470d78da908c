//! What `#[aggregator]` submits at link time.

use super::StartFn;
use crate::job::GroupSettings;
use crate::router::Requirement;

/// An aggregator known at link time. Made by `#[aggregator]`; not meant to be written by hand.
#[derive(Debug)]
pub struct AggregatorRegistration {
    /// The function.
    pub name: &'static str,
    /// The job whose tasks it takes.
    pub job: &'static str,
    /// The queue that it is for; every queue when there is none.
    pub queue: Option<&'static str>,
    /// When its groups are ready.
    pub settings: GroupSettings,
    /// The source file of the function.
    pub file: &'static str,
    /// Its line.
    pub line: u32,
    /// Begins it.
    pub start: StartFn,
    /// What it needs from the server; each gives `None` when it needs nothing.
    pub requires: &'static [fn() -> Option<Requirement>],
}

inventory::collect!(AggregatorRegistration);

impl AggregatorRegistration {
    /// Function, file and line, for messages.
    pub fn place(&self) -> String {
        format!("{} ({}:{})", self.name, self.file, self.line)
    }
}

/// All aggregators linked into this program, in no order that matters.
pub fn registered_aggregators() -> impl Iterator<Item = &'static AggregatorRegistration> {
    inventory::iter::<AggregatorRegistration>.into_iter()
}

/// Two aggregators take the same tasks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two aggregators take {what}: {first} and {second}; keep one, or give each a `queue` of its own")]
pub struct DuplicateAggregator {
    /// What both take.
    pub what: String,
    /// Where one is.
    pub first: String,
    /// Where the other is.
    pub second: String,
}
