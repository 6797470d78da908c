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
pub mod telemetry;
pub mod wire;

mod background;
pub mod broker;
pub mod client;
pub mod inspector;
pub mod job;
pub mod limit;
pub mod payload;
pub mod router;
pub mod scheduler;
pub mod server;
#[cfg(test)]
mod simulation;
pub mod testing;

pub use error::{Error, Result};

/// What `#[job]` and `#[aggregator]` expand to refers to these. No stability promise.
#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use futures_util::future::BoxFuture;
    pub use inventory;
    #[cfg(feature = "schemars")]
    pub use schemars;
    pub use serde;

    pub use crate::client::{AsClient, Enqueue};
    pub use crate::job::{
        Argument, Codec, CodecError, Earlier, GroupSettings, Job, JobOptions, JobSchedule, Json,
        PayloadField, PayloadForm, PayloadShape, SchemaFn, Transparent, UniqueFields, Whole, assert_unique,
        periodic_task, read_argument, write_argument,
    };
    #[cfg(feature = "schemars")]
    pub use crate::job::{OpenSchema, SchemaOf, open};
    pub use crate::router::{
        Aggregation, AggregatorRegistration, IntoAggregated, aggregate, boxed_aggregation, group_of,
    };
    pub use crate::router::{
        BadPayload, BoxError, Ctx, FromContext, Handler, HandlerResult, HasHandler, Injected, IntoOutcome,
        OnCancel, Registration, Requirement, RetryPolicy, assert_registered, blocking, boxed, decode,
        extract, layered, requirement, returns,
    };
    pub use crate::task::{Task, UniqueUntil};
}
