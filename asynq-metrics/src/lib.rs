//! Prometheus metrics of asynq: of all that is stored, and of the tasks that one worker runs.
//!
//! ```text
//! Redis ──► Exporter (one read for all who ask) ─┐
//!                                                ├─► Family ─► text(…), for the answer to Prometheus
//! server ─► WorkerMetrics (an Observer) ─────────┘
//! ```
//!
//! [`Exporter`] tells of queues, servers and schedules; one for each Redis is enough, and `asynq exporter` is a whole
//! program of it. [`WorkerMetrics`] tells of the runs of one worker, by queue and type. Both give [`Family`] values, which
//! go into a registry of your own or through [`text`] into the answer to Prometheus; there is no HTTP server here, so any
//! will do.
//!
//! ```
//! use asynq_core::client::Client;
//! use asynq_core::server::Server;
//! use asynq_metrics::{CONTENT_TYPE, WorkerMetrics};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> asynq_core::Result<()> {
//! let client = Client::in_memory();
//! let metrics = WorkerMetrics::new();
//! let server = Server::builder(&client).observer(metrics.clone());
//! # drop(server);
//!
//! // In the handler of `GET /metrics`, with the header `Content-Type: {CONTENT_TYPE}`:
//! let body = metrics.text();
//! # assert!(body.is_empty() && CONTENT_TYPE.starts_with("text/plain"));
//! # Ok(())
//! # }
//! ```
//!
//! Names that begin with `asynq_x_` are ours; the others are those of Go's `x/metrics`, with its types and labels, so
//! dashboards made for it work. `docs/observability.md` has all of them.
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

mod exporter;
mod exposition;
mod store;
mod worker;

pub use exporter::{Exporter, Scrape};
pub use exposition::{CONTENT_TYPE, Family, Histogram, Kind, Sample, Value, text};
pub use worker::WorkerMetrics;
