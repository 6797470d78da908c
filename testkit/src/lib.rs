//! What this workspace's tests and benchmarks share. Test support: it panics where a product would not.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "test support: what cannot be set up fails the test"
)]

mod asynqmon;
pub mod certificates;
mod cluster;
pub mod decoded;
pub mod dump;
pub mod encoding;
mod fill;
mod fixture;
mod go_program;
pub mod gopeer;
mod hostile;
pub mod load;
pub mod process;
pub mod proxy;
pub mod redis;
mod sentinels;
pub mod vectors;
mod wait;

pub use asynqmon::Asynqmon;
pub use cluster::{RedisCluster, SlotMove};
pub use fixture::RedisFixture;
pub use gopeer::GoPeer;
pub use hostile::Spoil;
pub use load::{Audit, Load};
pub use process::Child;
pub use proxy::{Fault, Proxy};
pub use redis::RedisServer;
pub use sentinels::SentinelSet;
pub use wait::{eventually, eventually_within};
