//! The doctor: what does not agree with itself in a store, found, explained and put right.
//!
//! ```text
//! examination.rs (Examination, Repair: what is asked for)
//!   └─► rounds.rs (Rounds: queue by queue, then over all keys) ─► suspects.rs ─► judge.rs (what is wrong with a task; pure)
//!                │                                                     └─► pending.rs (where they are pending)
//!                │                                             ─► queues.rs (… with queues, groups, locks)
//!                │                                             ─► store.rs (… with Redis and the processes)
//!                └─► fault.rs (Fault: one thing that is wrong, and how it is put right)
//! class.rs (Class: each kind of fault, in words) ─► finding.rs (Finding: all faults of a class in a queue)
//! ```
//!
//! It looks while the system runs. What seems wrong at first glance may only have moved; so each suspect is looked at a
//! second time, all about it at one moment, before it is told, and a third time in the very call that puts it right.

mod class;
mod examination;
mod fault;
mod finding;
mod judge;
mod pending;
mod queues;
mod rounds;
mod store;
mod suspects;

pub use class::{Class, Severity, UnknownClass};
pub use examination::{Examination, Repair, Repaired};
pub use finding::{Diagnosis, Finding};
