//! The worker process: takes tasks, runs them, keeps their leases, recovers those of the dead.

mod aggregation;
mod aggregator;
mod attempt;
mod backoff;
mod builder;
mod forwarder;
#[cfg(test)]
#[path = "tests/groups.rs"]
mod group_tests;
mod heartbeater;
mod janitor;
mod keepers;
mod lease;
mod mended;
mod processor;
mod recoverer;
mod retry;
mod running;
mod server;
mod settle;
mod signals;
mod subscriber;
#[cfg(test)]
mod tests;

pub use attempt::{Cancelled, DeadlineExceeded, Panicked};
pub use builder::ServerBuilder;
pub use recoverer::LeaseExpired;
pub use retry::{DelayFn, RetryPolicy, default_delay};
pub use server::Server;
#[cfg(feature = "redis")]
pub use server::run_registered;
pub use settle::IsFailure;
