//! Go's cron dialect, parsed: the standard parser of robfig/cron v3, which Go asynq uses.
//!
//! A part of asynq's runtime and of its macros, which check specifications when a program is compiled; not meant to
//! be used by itself. What the fields mean at an instant, time zones included, is the runtime's part.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod descriptor;
pub mod duration;
mod error;
mod field;
mod spec;
mod words;

pub use error::InvalidSpec;
pub use field::Field;
pub use spec::{Fields, Spec, When};
