//! The way in: enqueue one task or many.

mod client;
mod enqueue;
mod enqueued;
#[cfg(feature = "__hot_path")]
mod hot_path;
mod if_absent;
mod many;
mod plan;
mod tick;
mod waiting;

pub use client::{AsClient, Client};
pub use enqueue::{Enqueue, Enqueuing};
pub use enqueued::Enqueued;
pub use if_absent::{EnqueueIfAbsent, IfAbsent};
pub use waiting::{Awaited, Wait, WaitError};
