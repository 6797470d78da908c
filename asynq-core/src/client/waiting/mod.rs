//! Waiting for a task and what it returns.
//!
//! ```text
//!   Enqueued::wait, Client::wait ──► Wait (builder) ──► wait.rs: listen, look, sleep, again
//!                                                          │
//!   all waits of a client ──► RunEnds: one subscription, which any one of them reads for all
//! ```

mod awaited;
mod error;
mod run_ends;
#[cfg(test)]
mod tests;
mod wait;

pub use awaited::Awaited;
pub use error::WaitError;
pub(super) use run_ends::RunEnds;
pub use wait::Wait;
