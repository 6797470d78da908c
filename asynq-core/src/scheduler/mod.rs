//! Periodic tasks.
mod cron;
pub use cron::{InvalidSchedule, Schedule};
