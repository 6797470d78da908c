//! The worker process: takes tasks, runs them, keeps their leases, recovers those of the dead.

mod aggregation;
mod aggregator;
mod attempt;
mod bad_payload;
mod builder;
mod concerns;
mod forwarder;
#[cfg(test)]
#[path = "tests/groups.rs"]
mod group_tests;
mod handle;
mod health;
mod heartbeater;
mod hooks;
mod janitor;
mod keepers;
mod lease;
mod limits;
mod members;
mod mended;
mod narrowing;
#[cfg(test)]
#[path = "tests/observers.rs"]
mod observer_tests;
mod observers;
mod pacing;
mod presence;
mod processor;
#[cfg(test)]
#[path = "tests/queues.rs"]
mod queue_tests;
mod queues;
mod recoverer;
mod running;
mod server;
mod serving;
mod settle;
mod stepper;
mod store;
mod subscriber;
#[cfg(test)]
mod tests;
mod unknown;

pub use attempt::{DeadlineExceeded, Panicked};
pub use bad_payload::BadPayloads;
pub use builder::ServerBuilder;
pub use handle::{ServerHandle, ServerStatus, Slots};
pub use health::Health;
pub use hooks::{Ended, Fate};
pub use queues::{Queues, ServedQueue};
pub use recoverer::{LeaseExpired, WorkerDied};
pub use server::Server;
#[cfg(feature = "redis")]
pub use server::run_registered;
pub use settle::IsFailure;
pub(crate) use stepper::{Attempted, Run, RunEnd, Stepper, Taken};
pub use unknown::UnknownTypes;
