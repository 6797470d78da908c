//! The broker on Redis: Go asynq's keys and state changes, in fewer round trips.
//!
//! Every change is one Lua script (`scripts/`), atomic in Redis; a script checks all its preconditions before it
//! writes. On a single server one call may name the keys of several queues; on a cluster each call names one.
//!
//! How a call gets there: a `Link` is a `Connection` to one server or to whichever is the master, or `NodeCalls` to
//! the nodes of a cluster; connections are made by a `Dialer`.

mod active;
mod address;
mod admission;
mod audit;
mod broker;
mod care;
mod changes;
mod cluster;
mod connection;
mod deletion;
mod dial;
mod eager;
mod enqueue;
mod exchange;
mod exchange_by_queue;
mod gather;
mod groups;
mod herd;
#[cfg(feature = "__hot_path")]
mod hot_path;
mod inspection;
mod later_changes;
mod link;
mod memory_usage;
mod messages;
mod options;
mod places;
mod processes;
mod reply;
mod schedules;
mod script;
mod sentinel;
mod server_time;
mod single_flight;
mod storing;
mod timetable;
#[cfg(feature = "rustls")]
mod tls;
mod upstream;
mod waiter;
mod waits;

pub use address::{Address, DEFAULT_PORT, DEFAULT_SENTINEL_PORT, Endpoint, Host, Password};
pub use broker::RedisBroker;
pub use options::ConnectOptions;
#[cfg(feature = "rustls")]
pub use tls::TlsOptions;
