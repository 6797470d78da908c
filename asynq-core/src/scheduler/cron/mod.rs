//! When a specification fires: Go's cron dialect on a calendar with time zones. Pure: no clock, no I/O.
//!
//! The dialect itself is read by the crate `asynq_cron`, which `#[job]` shares.

mod schedule;
#[cfg(test)]
mod tests;

pub(crate) use schedule::time_zone;
pub use schedule::{InvalidSchedule, Schedule, in_words};
