//! Runs vector files (`tests/vectors/FORMAT.md`) against our code and tells where it differs from Go.
//!
//! ```text
//! file ─► case ─► pure/      inputs → our result       ─┐
//!                 scenario/  steps on a Redis of ours  ─┴─► differences ─► known ones listed ─► report
//! ```
//!
//! `differences.md` beside the files lists where we are better than Go on purpose, and what this version does not
//! have yet. A difference that is not listed fails, and so does a listed one that no longer occurs.

mod compare;
mod file;
mod inputs;
mod known;
mod pure;
mod report;
mod runner;
mod scenario;

pub use compare::Difference;
pub use known::{Known, Verdict};
pub use report::{Report, Tally};
pub use runner::{Options, run};
pub use scenario::inspect;
