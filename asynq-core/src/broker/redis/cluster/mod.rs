//! A cluster: which node has which keys, and calls that reach the right one.
//!
//! Not by the `redis` crate's client for clusters: that one sends a call again when its answer is lost, which an
//! exchange must not be, and has neither blocking calls nor subscriptions. Every call of ours names the keys of one
//! slot, so what is needed is little.

mod calls;
mod slot;
mod topology;

pub(super) use calls::NodeCalls;
pub(super) use slot::slot_of;
pub(super) use topology::Cluster;
