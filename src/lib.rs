//! A distributed job framework on Redis: jobs are plain async functions, run on any number of workers, retried when
//! they fail, and never lost when a worker dies. It stores exactly what Go's hibiken/asynq stores, so both share
//! one Redis.
//!
//! ```
//! use asynq::{Client, Server, State, job};
//! use tokio::sync::mpsc;
//!
//! /// Sends one e-mail.
//! #[job(queue = "mail", retry = 5, timeout = "30s")]
//! async fn send_email(to: String, State(sent): State<mpsc::Sender<String>>) -> anyhow::Result<()> {
//!     sent.send(to).await?;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> asynq::Result<()> {
//! // A producer: in production, `Client::connect("redis://127.0.0.1:6379").await?`.
//! let client = Client::in_memory();
//! let info = SendEmail::new("ann@example.com").enqueue(&client).await?;
//! assert_eq!(info.queue, "mail");
//!
//! // A worker: it runs every job that is linked into the program.
//! let (sender, mut sent) = mpsc::channel::<String>(1);
//! let server = Server::builder(&client).registered().state(sender).start().await?;
//! assert_eq!(sent.recv().await.as_deref(), Some("ann@example.com"));
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! - [`job`] makes a typed task of a function; [`Task`] is one without a type.
//! - [`aggregator`] makes one task of a group of them.
//! - [`Client`] enqueues one task or many; [`TaskOptions`] are all that can be said about one.
//! - [`Server`] runs them; [`run_registered`] is a whole worker, set up by the [environment](mod@env).
//! - A job with `cron` or `every` is enqueued by itself; [`Scheduler`] does that for any task, and
//!   [`PeriodicTaskManager`] keeps its entries in step with yours.
//! - [`Router`] decides which handler runs which type; [`Ctx`] and [`State`] are what a handler is given;
//!   [`SkipRetry`], [`Revoke`] and [`RetryIn`] are errors that say what should happen to the task.
//! - [`RateLimit`] and [`Semaphore`] limit how many tasks run in a period and at a time, over all workers; a task that
//!   has to wait is [put back](PutBack), which has used up no retry.
//! - [`Enqueued::wait`] and [`Client::wait`] give what a job returns. A [propagator](Client::propagator) takes traces along.
//! - [`Inspector`] looks at what is stored, and changes it.
//! - [`Codec`] says how a payload is written: JSON unless a job says otherwise, and as Go writes it ([`GoJson`]), as
//!   MessagePack, CBOR or protobuf (features `msgpack`, `cbor`, `protobuf`), or as it is ([`Raw`]).
//! - [`testing`] runs jobs in a test, without a server and without waiting.
//!
//! Delivery is at least once: a job may run again when its worker dies, so make jobs idempotent.

pub use asynq_core::broker::ArchiveLimits;
#[cfg(feature = "redis")]
pub use asynq_core::broker::redis::ConnectOptions;
#[cfg(feature = "rustls")]
pub use asynq_core::broker::redis::TlsOptions;
pub use asynq_core::client::{
    AsClient, Awaited, Client, Enqueue, EnqueueIfAbsent, Enqueued, IfAbsent, Wait, WaitError,
};
#[cfg(feature = "cbor")]
pub use asynq_core::job::Cbor;
#[cfg(feature = "msgpack")]
pub use asynq_core::job::MsgPack;
#[cfg(feature = "protobuf")]
pub use asynq_core::job::Protobuf;
pub use asynq_core::job::{
    Codec, CodecError, Earlier, FromResult, GoJson, GroupSettings, IntoTask, Job, JobOptions, Json, Payload,
    PayloadField, PayloadForm, PayloadShape, Raw, Upgrade, go,
};
pub use asynq_core::limit::{Permit, RateLimit, Semaphore};
pub use asynq_core::router::registered as jobs;
pub use asynq_core::router::{
    Aggregator, BadPayload, BoxError, Cancelled, Catalog, Ctx, ExtractError, FromContext, Handler,
    HandlerNotFound, HandlerResult, HandlerService, IntoAggregated, IntoOutcome, Middleware, Next, OnCancel,
    Outcome, PutBack, Registration, RetryIn, RetryPolicy, Revoke, Router, SkipRetry, State, export_catalog,
    middleware_fn,
};
#[cfg(feature = "redis")]
pub use asynq_core::server::run_registered;
pub use asynq_core::server::{
    BadPayloads, Ended, Fate, Health, Queues, Server, ServerBuilder, ServerHandle, ServerStatus, Slots,
    UnknownTypes,
};
pub use asynq_core::task::{
    Headers, InvalidOption, QueueName, Task, TaskId, TaskInfo, TaskOptions, TaskState, UniqueUntil,
};
// Not the module `job`: `use asynq::job` brings the attribute into scope and leaves a module of that name to the user.
#[cfg(feature = "redis")]
pub use asynq_core::env;
pub use asynq_core::inspector::Inspector;
pub use asynq_core::scheduler::{
    CatchUp, EntryId, PeriodicTask, PeriodicTaskManager, PeriodicTaskProvider, Schedule, Scheduler,
};
pub use asynq_core::{
    Error, Result, broker, client, clock, inspector, limit, router, scheduler, server, task, telemetry,
    testing, wire,
};
pub use asynq_core::{assert_registered, jobs};
#[cfg(feature = "macros")]
pub use asynq_macros::{Job, aggregator, job};

#[doc(hidden)]
pub use asynq_core::__private;

// Every piece of code in the guide is compiled and run; as a program of its own (`standalone_crate`), for all jobs of a
// program are registered.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/deployment.md")]
mod guide_deployment {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/from-apalis.md")]
mod guide_from_apalis {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/from-sidekiq.md")]
mod guide_from_sidekiq {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/groups.md")]
mod guide_groups {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/jobs.md")]
mod guide_jobs {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/options.md")]
mod guide_options {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/retries.md")]
mod guide_retries {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/schedules.md")]
mod guide_schedules {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/testing.md")]
mod guide_testing {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/unique.md")]
mod guide_unique {}

#[cfg(all(doctest, feature = "macros", feature = "msgpack", feature = "protobuf"))]
#[doc = include_str!("../docs/guide/payloads.md")]
mod guide_payloads {}
