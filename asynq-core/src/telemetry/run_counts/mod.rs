//! Counting runs by queue and type: [`RunCounts`], an observer that others make metrics of.
//!
//! `run_counts.rs` is what they see, `table.rs` finds what counts a run without an allocation, `histogram.rs` counts lengths
//! of time without a lock.

mod histogram;
mod run_counts;
mod table;

pub use histogram::Spread;
pub use run_counts::{RunCounts, RunSeries};
