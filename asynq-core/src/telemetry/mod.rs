//! What the outside world is told about tasks under way.

mod observer;
mod propagator;

pub use observer::{Observer, Run, RunOutcome};
pub use propagator::{Propagator, Traced};
