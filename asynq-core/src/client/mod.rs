//! The way in: enqueue one task or many.

mod client;
mod enqueue;
mod plan;
mod tick;

pub use client::{AsClient, Client};
pub use enqueue::Enqueue;
