//! The past of a few days, for charts: samples that this process keeps in memory.
//!
//! ```text
//! sampler.rs (History: looks at the store now and then) ─► samples.rs (Samples: queues)    ─► ring.rs (Ring: two resolutions)
//!                                                      └─► runs.rs (RunSamples: run times) ─┘
//! span.rs (Span: which part of it is asked for)            point.rs (Point: what a queue did in a while)
//! ```
//!
//! `asked.rs` is how routes reach it. Nothing is stored in Redis but what servers leave there of themselves; a restart forgets all but the daily counters.

mod asked;
mod point;
mod ring;
mod runs;
mod sampler;
mod samples;
mod span;

pub(crate) use asked::DailySum;
pub(crate) use point::Point;
pub(crate) use runs::{Runs, RunsOf};
pub(crate) use sampler::History;
pub use sampler::Sampling;
pub(crate) use samples::TRACKED;
pub(crate) use span::Span;
