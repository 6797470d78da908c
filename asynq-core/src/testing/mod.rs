//! Testing jobs: a [`Rig`] runs them without a server, without Redis and without waiting; [`TestCtx`] makes the [`Ctx`]
//! for calling a job's function directly.
//!
//! A rig is an in-memory broker, a clock that only the test moves, and a worker that works when it is told to. The
//! worker is that of a server, with its codec, router, middleware, retry rules, leases and recovery: what a rig shows
//! is what production does. Every rig is a world of its own, so tests run in parallel.
//!
//! ```
//! use std::time::Duration;
//!
//! use asynq_core::client::Enqueue;
//! use asynq_core::router::{Ctx, Router};
//! use asynq_core::task::Task;
//! use asynq_core::testing::Rig;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let router = Router::new().route("report", async |ctx: Ctx| {
//!     if ctx.retried() == 0 { Err("the database is away") } else { Ok(()) }
//! })?;
//! let rig = Rig::new().router(router);
//! Enqueue::new(Task::new("report", "{}")?, &rig).process_in(Duration::from_secs(86_400)).await?;
//!
//! assert_eq!(rig.drain().await.len(), 0); // not due yet
//! let report = rig.advance(Duration::from_secs(2 * 86_400)).await;
//! assert_eq!((report.retried(), report.succeeded()), (1, 1));
//! # Ok(())
//! # }
//! ```
//!
//! [`Ctx`]: crate::router::Ctx

mod assertions;
mod context;
mod faults;
mod frozen;
#[cfg(feature = "redis")]
mod redis_server;
mod report;
mod rig;
mod run;
mod table;
#[cfg(test)]
mod tests;

pub use assertions::Stored;
pub use context::{Cancel, TestCtx};
pub use faults::{CrashPoint, InjectedFailure, WorkerDied};
pub use frozen::FrozenWorker;
#[cfg(feature = "redis")]
pub use redis_server::RedisServer;
pub use report::{Attempt, Ending, Report};
pub use rig::Rig;
