//! A distributed job framework on Redis: jobs are plain async functions, run on any number of workers, retried when
//! they fail, and never lost when a worker dies. It stores exactly what Go's hibiken/asynq stores, so both share
//! one Redis.
//!
//! # A job
//!
//! It is not on the public registry, where another project has its name. So with a clone beside your crate:
//!
//! ```toml
//! [dependencies]
//! asynq = { path = "../asynq" }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! A job is a function. Beside it, [`job`] makes a struct of its arguments, which is what travels through Redis; the
//! compiler checks whoever enqueues it against the function's types.
//!
//! ```standalone_crate
//! use asynq::{Client, Server, State, job};
//! use tokio::sync::mpsc;
//!
//! /// Sends one e-mail.
//! #[job(queue = "mail", retry = 5, timeout = "30s")]
//! async fn send_email(to: String, State(sent): State<mpsc::Sender<String>>) -> Result<(), String> {
//!     sent.send(to).await.map_err(|error| error.to_string())
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
//! # A worker
//!
//! A program that links the jobs, and runs them until it is told to end. It says at start, with file and line, what would
//! fail at the first task: a shared value that is missing, a queue that nobody serves.
//!
//! ```no_run,standalone_crate
//! # #[derive(Clone)] struct Mailer;
//! #[tokio::main]
//! async fn main() -> asynq::Result<()> {
//!     // Where Redis is and how much to run at a time is in the environment: `ASYNQ_REDIS_URL`, `ASYNQ_CONCURRENCY`.
//!     asynq::Server::from_env()?.state(Mailer).registered().run().await
//! }
//! ```
//!
//! Without anything to share it is one line, `asynq::run_registered().await`. Start as many as you like.
//!
//! # Enqueuing
//!
//! What is said about one task wins over what its job says.
//!
//! ```standalone_crate
//! # use asynq::{Client, job};
//! use std::time::Duration;
//!
//! #[job(queue = "mail", unique_for = "10m")]
//! async fn remind(user: u64) {
//!     println!("reminding {user}");
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> asynq::Result<()> {
//! # let client = Client::in_memory();
//! Remind::new(7).enqueue(&client).process_in(Duration::from_secs(3600)).queue("low").await?;
//! // Somebody else has asked for the same: that is fine.
//! let second = Remind::new(7).enqueue(&client).queue("low").if_absent().await?;
//! assert!(second.is_none());
//! // Many in a round trip, with an answer for each.
//! let all = client.enqueue_all((1..=3).map(Remind::new)).await;
//! assert!(all.iter().all(Result::is_ok));
//! # Ok(())
//! # }
//! ```
//!
//! # When it fails
//!
//! An error, a panic and running out of time are a failed attempt: it is tried again, 25 times and ever later unless the job
//! says otherwise, and archived then. An error can say what is to happen.
//!
//! ```standalone_crate
//! use asynq::{BoxError, SkipRetry, job};
//!
//! #[job(retry = 8, backoff = exponential("2s", max = "10m"), timeout = "30s")]
//! async fn charge(card: String) -> Result<(), BoxError> {
//!     match card.as_str() {
//!         "stolen" => Err(SkipRetry::new("no retry helps").into()), // archived at once
//!         "busy" => Err("no answer".into()),                        // tried again
//!         _ => Ok(()),
//!     }
//! }
//! ```
//!
//! The tasks of a worker that died run again some seconds later, and have used up no retry. So delivery is at least once:
//! make jobs idempotent.
//!
//! # Testing
//!
//! No Redis, no set-up, no waiting: a [`Rig`](testing::Rig) has a worker and a clock of your test's own.
//!
//! ```standalone_crate
//! use asynq::job;
//! use asynq::testing::Rig;
//! use std::time::Duration;
//!
//! #[job(retry = 3, backoff = fixed("1d"))]
//! async fn charge(invoice: u64) {
//!     println!("charged {invoice}");
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> asynq::Result<()> {
//! let rig = Rig::new();
//! Charge::new(7).enqueue(&rig).await?;
//! rig.assert_enqueued::<Charge>(|charge| charge.invoice == 7);
//!
//! rig.fail_attempt::<Charge>(1, "the bank is away");
//! let report = rig.advance(Duration::from_secs(86_400)).await; // a day, in no time
//! assert_eq!((report.retried(), report.succeeded()), (1, 1));
//! # Ok(())
//! # }
//! ```
//!
//! # Deploying
//!
//! Redis, and any number of the same worker; there is no scheduler of its own and no leader. SIGTERM ends a worker in good
//! order. Go programs on the same Redis enqueue, run and inspect the same tasks.
//!
//! # Where to go next
//!
//! The guide, in `docs/guide/`, has a page for each of these: jobs, options, retries, unique jobs, groups, schedules,
//! payloads, testing, telemetry, deployment; and for who comes from Go asynq, Sidekiq or apalis. `examples/service` is a
//! whole service.
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
//!   [`payload::Payloads`] compress and encrypt it, and limit its size (features `zstd`, `encryption`).
//! - [`testing`] runs jobs in a test, without a server and without waiting.
//!
//! # Features
//!
//! `macros` and `redis` are on by default; `rustls` encrypts connections to Redis; `msgpack`, `cbor` and `protobuf` are
//! codecs; `encryption` and `zstd` encrypt and compress payloads; `metrics` is for Prometheus.

pub use asynq_core::broker::ArchiveLimits;
#[cfg(feature = "redis")]
pub use asynq_core::broker::redis::ConnectOptions;
#[cfg(feature = "rustls")]
pub use asynq_core::broker::redis::TlsOptions;
pub use asynq_core::client::{
    AsClient, Awaited, Client, Enqueue, EnqueueIfAbsent, Enqueued, Enqueuing, IfAbsent, Wait, WaitError,
};
#[cfg(feature = "cbor")]
pub use asynq_core::job::Cbor;
#[cfg(feature = "zstd")]
pub use asynq_core::job::Compressed;
#[cfg(feature = "encryption")]
pub use asynq_core::job::Encrypted;
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
    StoredSchedule, StoredSchedules,
};
pub use asynq_core::{
    Error, Result, broker, client, clock, inspector, limit, payload, router, scheduler, server, task,
    telemetry, testing, wire,
};
pub use asynq_core::{assert_registered, jobs};
#[cfg(feature = "macros")]
pub use asynq_macros::{Job, aggregator, job};
#[cfg(feature = "metrics")]
pub use asynq_metrics as metrics;

#[doc(hidden)]
pub use asynq_core::__private;

// Every piece of code in the README and the guide is compiled and run; as a program of its own (`standalone_crate`),
// for all jobs of a program are registered.
#[cfg(all(doctest, feature = "macros", feature = "redis"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(all(doctest, feature = "macros", feature = "metrics"))]
#[doc = include_str!("../docs/observability.md")]
mod observability {}

#[cfg(all(doctest, feature = "macros", feature = "redis"))]
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

#[cfg(all(doctest, feature = "macros", feature = "redis"))]
#[doc = include_str!("../docs/guide/testing.md")]
mod guide_testing {}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../docs/guide/unique.md")]
mod guide_unique {}

#[cfg(all(
    doctest,
    feature = "macros",
    feature = "msgpack",
    feature = "protobuf",
    feature = "encryption",
    feature = "zstd"
))]
#[doc = include_str!("../docs/guide/payloads.md")]
mod guide_payloads {}
