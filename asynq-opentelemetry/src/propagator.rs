//! [`OpenTelemetry`]: traces in the headers of tasks, and spans in OpenTelemetry's words.

use std::collections::HashMap;
use std::error::Error;

use asynq_core::router::Cancelled;
use asynq_core::server::{DeadlineExceeded, Panicked};
use asynq_core::task::Headers;
use asynq_core::telemetry::{Propagator, Traced};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Status, TraceContextExt as _};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Takes OpenTelemetry traces along, in the format of some [`TextMapPropagator`]; set by
/// [`Client::propagator`](asynq_core::client::Client::propagator).
///
/// The spans are those of `tracing`, through a `tracing_opentelemetry` layer of the subscriber. Without one, nothing is
/// written.
///
/// | span of `tracing` | name | kind | parent |
/// |---|---|---|---|
/// | `enqueue` | `send <queue>` | producer | the span that is current |
/// | `task` | `process <queue>` | consumer | the `send` span, for each attempt |
/// | `aggregate` | `process <queue>` | consumer | none; links to the `send` spans of 128 of the tasks |
///
/// Each has the attributes `messaging.system` (`asynq`), `messaging.operation.name` (`enqueue`, `run`, `aggregate`),
/// `messaging.operation.type` (`send`, `process`), `messaging.destination.name` (the queue), and `messaging.message.id` or
/// `messaging.batch.message_count`; and, under their own names, the fields of the spans of `tracing`, such as `task_type`
/// and `attempt`. One that failed has the status `Error` with the error's text, and `error.type`: `panic`, `timeout`,
/// `cancelled` or `_OTHER`.
///
/// A tick that another process was first to enqueue has a `send` span with `passed = true`, and no task.
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

    fn link(&self, headers: &Headers, span: &Span) {
        let sender = self.format.extract_with_context(&Context::new(), &Stored(headers));
        let sender = sender.span().span_context().clone();
        if sender.is_valid() {
            span.add_link(sender);
        }
    }

    fn describe(&self, span: &Span, about: &Traced<'_>) {
        let (queue, operation, kind) = match about {
            Traced::Enqueue { queue, .. } => (*queue, ["enqueue", "send"], "producer"),
            Traced::Run { queue, .. } => (*queue, ["run", "process"], "consumer"),
            Traced::Aggregate { queue, .. } => (*queue, ["aggregate", "process"], "consumer"),
            _ => return,
        };
        let [name, operation] = operation;
        span.record("otel.name", format!("{operation} {queue}"));
        span.record("otel.kind", kind);
        span.set_attribute("messaging.system", "asynq");
        span.set_attribute("messaging.operation.name", name);
        span.set_attribute("messaging.operation.type", operation);
        span.set_attribute("messaging.destination.name", queue.to_owned());
        match about {
            Traced::Enqueue { id, .. } | Traced::Run { id, .. } => {
                span.set_attribute("messaging.message.id", (*id).to_owned());
            }
            Traced::Aggregate { tasks, .. } => {
                span.set_attribute(
                    "messaging.batch.message_count",
                    i64::try_from(*tasks).unwrap_or(i64::MAX),
                );
            }
            _ => {}
        }
    }

    fn failed(&self, span: &Span, error: &(dyn Error + 'static)) {
        let kind = match error {
            error if error.is::<Panicked>() => "panic",
            error if error.is::<DeadlineExceeded>() => "timeout",
            error if error.is::<Cancelled>() => "cancelled",
            _ => "_OTHER",
        };
        span.set_attribute("error.type", kind);
        span.set_status(Status::error(error.to_string()));
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
