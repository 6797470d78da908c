//! The broker on Redis: Go asynq's keys and state changes, in fewer round trips.
//!
//! Every change is one Lua script (`scripts/`), atomic in Redis; a script checks all its preconditions before it
//! writes. On a single server one call may name the keys of several queues; on a cluster each call names one.

mod active;
mod address;
mod broker;
mod cancellations;
mod connection;
mod enqueue;
mod exchange;
mod reply;
mod script;
mod server_time;
mod waiter;

pub use address::{Address, DEFAULT_PORT, DEFAULT_SENTINEL_PORT, Endpoint, Host, Password};
pub use broker::RedisBroker;
