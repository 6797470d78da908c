//! The broker on Redis: Go asynq's keys and state changes, in fewer round trips.
//!
//! Every change is one Lua script (`scripts/`), atomic in Redis; a script checks all its preconditions before it
//! writes. On a single server one call may name the keys of several queues; on a cluster each call names one.

mod active;
mod address;
mod admission;
mod broker;
mod changes;
mod connection;
mod deletion;
mod enqueue;
mod exchange;
mod groups;
mod inspection;
mod memory_usage;
mod messages;
mod processes;
mod reply;
mod schedules;
mod script;
mod server_time;
mod waiter;
mod waits;

pub use address::{Address, DEFAULT_PORT, DEFAULT_SENTINEL_PORT, Endpoint, Host, Password};
pub use broker::RedisBroker;
