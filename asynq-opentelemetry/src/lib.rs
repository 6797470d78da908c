//! OpenTelemetry for asynq: traces from who enqueues a task through every attempt, and metrics of a worker.
//!
//! Enqueuing a task is a span, whose context the task carries in its headers; each attempt at it (`task`) is that span's
//! child, and so it goes on with what its handler enqueues. An aggregation is linked to the traces of all tasks that it
//! makes one of. In the format of W3C Trace Context the headers are `traceparent` and `tracestate`, which Go programs read
//! as well. Names and attributes of spans are those of OpenTelemetry's conventions for messaging: [`OpenTelemetry`] has
//! them.
//!
//! A crate of its own, since OpenTelemetry's crates break their API every few months, and asynq's is not to break with
//! them.
//!
//! ```
//! use asynq_core::client::Client;
//! use asynq_opentelemetry::OpenTelemetry;
//! use opentelemetry::trace::TracerProvider as _;
//! use opentelemetry_sdk::propagation::TraceContextPropagator;
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Where spans go: an exporter of your choice.
//! let provider = SdkTracerProvider::builder().build();
//! let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("my-program"));
//! tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
//!
//! // In producers and workers alike; in production, `Client::connect("redis://127.0.0.1:6379").await?`.
//! let client = Client::in_memory().propagator(OpenTelemetry::new(TraceContextPropagator::new()));
//! # drop(client);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "metrics")]
mod meters;
mod propagator;

#[cfg(feature = "metrics")]
pub use meters::Meters;
pub use propagator::OpenTelemetry;
