//! What the outside world is told about tasks under way.

mod propagator;

pub use propagator::Propagator;
