//! A distributed job framework on Redis: jobs are plain async functions, and the data in Redis is that of Go's
//! [asynq](https://github.com/hibiken/asynq), so Go and Rust programs share queues in any mix.
//!
//! Write [`#[job]`](macro@job) on an async function, and enqueue the struct that it makes:
//!
//! ```
//! use asynq::{Client, job};
//!
//! /// Sends one e-mail.
//! #[job(queue = "critical", retry = 5)]
//! async fn send_email(to: String, template: String) -> anyhow::Result<()> {
//!     println!("{template} to {to}");
//!     Ok(())
//! }
//!
//! async fn sign_up(client: &Client, address: &str) -> asynq::Result<()> {
//!     let info = SendEmail::new(address, "welcome").enqueue(client).await?;
//!     println!("task {} waits in queue {}", info.id, info.queue);
//!     Ok(())
//! }
//! # let _ = sign_up;
//! ```
//!
//! # Where things are
//!
//! | to | see |
//! |---|---|
//! | write jobs | [`macro@job`], [`Ctx`], [`State`], [`FromContext`] |
//! | say what an error means | [`SkipRetry`], [`RetryIn`], [`Revoke`] |
//! | enqueue | [`Client`], [`Enqueue`], [`TaskOptions`] |
//! | handle task types without a job, add middleware | [`Router`], [`Handler`] |
//! | work on what is stored | [`broker`], [`wire`] |
//!
//! # Features
//!
//! `macros` is `#[job]`; `redis` is the broker on Redis. Both are on by default.

#[doc(inline)]
pub use asynq_core::client::{AsClient, Client, Enqueue};
#[doc(inline)]
pub use asynq_core::job::{Codec, CodecError, Job, JobOptions, Json, Payload};
#[doc(inline)]
pub use asynq_core::router::{
    BoxError, Ctx, ExtractError, FromContext, Handler, IntoOutcome, Outcome, RetryIn, Revoke, Router,
    SkipRetry, State,
};
#[doc(inline)]
pub use asynq_core::task::{Headers, QueueName, Task, TaskId, TaskInfo, TaskOptions, TaskState};
#[doc(inline)]
pub use asynq_core::{Error, Result};
// The module `job` stays inside: `use asynq::job` is to bring the attribute and nothing else into scope, so that a
// program may have a module of that name.
#[doc(inline)]
pub use asynq_core::{broker, client, clock, router, task, wire};
#[cfg(feature = "macros")]
pub use asynq_macros::job;

#[doc(hidden)]
pub use asynq_core::__private;
