//! Takes OpenTelemetry traces from who enqueues an asynq task to who runs it.
//!
//! A task that is enqueued inside a span carries the span's context in its headers; the span in which a worker runs it
//! (`task`) is that span's child, and so it goes on with what its handler enqueues. In the format of W3C Trace Context
//! the headers are `traceparent` and `tracestate`, which Go programs read as well.
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

use std::collections::HashMap;

use asynq_core::task::Headers;
use asynq_core::telemetry::Propagator;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt as _;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Takes OpenTelemetry traces along, in the format of some [`TextMapPropagator`]; set by
/// [`Client::propagator`](asynq_core::client::Client::propagator).
///
/// The spans are those of `tracing`, through a `tracing_opentelemetry` layer of the subscriber. Without one, or outside a
/// span, nothing is written.
#[derive(Debug)]
pub struct OpenTelemetry<P> {
    format: P,
}

impl<P: TextMapPropagator + Send + Sync + 'static> OpenTelemetry<P> {
    /// In this format: mostly `TraceContextPropagator`, that of W3C Trace Context.
    pub fn new(format: P) -> Self {
        Self { format }
    }
}

impl<P: TextMapPropagator + Send + Sync + 'static> Propagator for OpenTelemetry<P> {
    fn inject(&self, headers: &mut Headers) {
        let mut fields = HashMap::new();
        self.format.inject_context(&Span::current().context(), &mut fields);
        // One that has nothing to say says so with an empty text.
        headers.extend(fields.into_iter().filter(|(_, value)| !value.is_empty()));
    }

    fn extract(&self, headers: &Headers, span: &Span) {
        let parent = self.format.extract_with_context(&Context::new(), &Stored(headers));
        if parent.span().span_context().is_valid()
            && let Err(error) = span.set_parent(parent)
        {
            tracing::debug!(%error, "a task does not go on with its trace");
        }
    }
}

/// Headers to be read.
struct Stored<'a>(&'a Headers);

impl Extractor for Stored<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
