//! The worker process: takes tasks, runs them, keeps their leases, recovers those of the dead.

mod aggregation;
mod aggregator;
mod attempt;
mod builder;
mod forwarder;
#[cfg(test)]
#[path = "tests/groups.rs"]
mod group_tests;
mod handle;
mod health;
mod heartbeater;
mod janitor;
mod keepers;
mod lease;
mod limits;
mod mended;
mod pacing;
mod presence;
mod processor;
mod queues;
mod recoverer;
mod retry;
mod running;
mod server;
mod serving;
mod settle;
mod stepper;
mod subscriber;
#[cfg(test)]
mod tests;
mod unknown;

pub use attempt::{Cancelled, DeadlineExceeded, Panicked};
pub use builder::ServerBuilder;
pub use handle::{ServerHandle, ServerStatus};
pub use health::Health;
pub use queues::{Queues, ServedQueue};
pub use recoverer::LeaseExpired;
pub use retry::{DelayFn, RetryPolicy, default_delay};
pub use server::Server;
#[cfg(feature = "redis")]
pub use server::run_registered;
pub use settle::IsFailure;
pub(crate) use stepper::{Attempted, Run, RunEnd, Stepper, Taken};
pub use unknown::UnknownTypes;
