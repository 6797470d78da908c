//! The runtime of asynq, in reading order: each module knows only those above it in this list.
//!
//! Applications depend on the facade `asynq`, which re-exports what they need.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod clock;
#[cfg(feature = "redis")]
pub mod env;
mod error;
pub mod task;
pub mod wire;

pub mod broker;
pub mod client;
pub mod job;
pub mod router;
pub mod server;
pub mod testing;

pub use error::{Error, Result};

/// What `#[job]` expands to refers to these. No stability promise.
#[doc(hidden)]
pub mod __private {
    pub use futures_util::future::BoxFuture;
    pub use inventory;
    pub use serde;

    pub use crate::client::{AsClient, Enqueue};
    pub use crate::job::{Argument, Codec, Job, JobOptions, Json, read_argument, write_argument};
    pub use crate::router::{
        BadPayload, BoxError, Ctx, FromContext, Handler, HandlerResult, Injected, IntoOutcome, Registration,
        Requirement, boxed, decode, extract, layered, requirement,
    };
}
