//! The way in: enqueue one task or many.

mod client;
mod enqueue;
mod if_absent;
mod plan;
mod tick;

pub use client::{AsClient, Client};
pub use enqueue::Enqueue;
pub use if_absent::{EnqueueIfAbsent, IfAbsent};
