//! Clusters and sentinels: real ones, whose masters die and whose slots move under load.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cluster;
mod conformance;
mod sentinel;
