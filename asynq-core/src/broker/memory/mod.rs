//! [`MemoryBroker`]: a broker inside this process, for examples, doc tests, users' own tests, and programs that
//! need no store that outlives them.
//!
//! It behaves as the broker on Redis does, down to what is stored: the same collections in the same order, the
//! same hash fields, the same expiry times. The conformance suite runs on both and compares. What it does not
//! do: survive the process, or be seen by another one.
//!
//! ```text
//! broker.rs ──► store.rs (all queues, servers) ──► queue.rs (one queue), locks.rs
//!   │                                                        │
//!   ├─► schedules.rs (what schedulers need)                  │
//!   ├─► admission.rs (limits over all servers)               │
//!   └─► waiter.rs (wake-ups, subscriptions)                   ├─► groups.rs, scored_set.rs, task_hash.rs, statistics.rs
//!                                                            └─► ../snapshot.rs (what an inspector sees)
//! ```

mod admission;
mod audit;
mod broker;
mod care;
mod changes;
#[cfg(any(test, feature = "__conformance"))]
mod dump;
mod groups;
mod inspection;
mod locks;
mod peek;
mod processes;
mod queue;
mod run_times;
mod schedules;
mod scored_set;
mod server_time;
mod statistics;
mod store;
mod task_hash;
#[cfg(test)]
mod tests;
mod timetable;
mod waiter;
mod waits;

pub use broker::MemoryBroker;
