//! The behaviors that every broker must show, as one list of cases that runs on each of them.
//!
//! For this workspace's own tests: no stability promise. A broker is tested through a [`Fixture`], which can also
//! show what is stored and break it. [`model`] drives two fixtures through the same random operations.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a case fails, and a fixture that cannot do its work is a failure as well"
)]

mod admission;
mod audit;
mod care;
mod changes;
mod dump;
mod enqueue;
mod exchange;
mod fixture;
mod forward;
mod groups;
mod inspection;
mod leases;
mod memory;
pub mod model;
mod priority;
mod recovery;
mod schedules;
mod settle;
mod state;
mod suite;
mod timetable;
mod unique;
mod wait;
mod waits;
mod world;

pub use dump::{Dump, Entry, Value};
pub use fixture::{Corruption, Fixture};
pub use memory::MemoryFixture;
pub use suite::{Case, cases};
