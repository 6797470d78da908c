//! What the outside world is told about tasks under way.

mod observer;
mod propagator;
mod run_counts;
mod run_times;

pub use observer::{Observer, Run, RunOutcome};
pub use propagator::{Propagator, Traced};
pub use run_counts::{RunCounts, RunSeries, Spread};
pub use run_times::{Durations, RunTimes};
