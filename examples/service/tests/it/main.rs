//! The service, as its users and its operator see it; and its jobs, on a rig.
#![expect(clippy::unwrap_used, reason = "tests")]

mod mail;
mod programs;
mod report;
mod support;
mod webhook;
