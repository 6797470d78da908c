//! The worker process: takes tasks, runs them, keeps their leases, recovers those of the dead.

mod attempt;
mod backoff;
mod builder;
mod forwarder;
mod heartbeater;
mod janitor;
mod keepers;
mod lease;
mod processor;
mod recoverer;
mod retry;
mod running;
mod server;
mod settle;
mod signals;
mod stepper;
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
pub(crate) use stepper::{Attempted, Run, RunEnd, Stepper, Taken};
