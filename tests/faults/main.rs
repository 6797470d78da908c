//! Everything that can break does, under load, and every task is accounted for.
//!
//! Each test is one scenario in its short form: a few seconds, with short timeouts. `cargo xtask soak` runs them all
//! in their long form, with the timeouts that programs have, again and again.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bounds;
mod compare;
mod form;
mod network;
mod process;
mod settings;
mod soak;
mod store;
mod system;
mod workers;
