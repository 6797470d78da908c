//! [`Propagator`]: takes traces from who enqueues to who runs.

use std::error::Error;
use std::fmt;

use tracing::Span;

use crate::task::Headers;

/// Takes traces from who enqueues a task to who runs it, through the task's headers; set by
/// [`Client::propagator`](crate::client::Client::propagator). The crate `asynq-opentelemetry` has one for
/// OpenTelemetry, which writes the headers of W3C Trace Context, so that Go programs can go on with the trace.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::task::{Headers, Task};
/// use asynq_core::telemetry::Propagator;
/// use tracing::Span;
///
/// /// Says which span enqueued a task.
/// #[derive(Debug)]
/// struct ById;
///
/// impl Propagator for ById {
///     fn inject(&self, headers: &mut Headers) {
///         if let Some(id) = Span::current().id() {
///             headers.insert("enqueued-in".to_owned(), id.into_u64().to_string());
///         }
///     }
///
///     fn extract(&self, headers: &Headers, span: &Span) {
///         span.record("enqueued_in", headers.get("enqueued-in"));
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::in_memory().propagator(ById);
/// client.enqueue(Task::new("report", "")?).await?;
/// # Ok(())
/// # }
/// ```
pub trait Propagator: fmt::Debug + Send + Sync + 'static {
    /// Writes the context of the current span, which is that of the [`Enqueue`](Traced::Enqueue), into the headers of a
    /// task that is being enqueued. What the task itself says under the same name is kept instead.
    fn inject(&self, headers: &mut Headers);

    /// Makes what the headers of a task say the parent of the span in which its handler will run. The span has not been
    /// entered yet.
    fn extract(&self, headers: &Headers, span: &Span);

    /// Links the span of an [`Aggregate`](Traced::Aggregate) to what the headers of one of its tasks say. By default it does
    /// nothing.
    fn link(&self, headers: &Headers, span: &Span) {
        _ = (headers, span);
    }

    /// Tells the tracing system in its own terms what a span is about, before it is entered. The span has fields
    /// `otel.name` and `otel.kind` that can be recorded. By default it does nothing.
    fn describe(&self, span: &Span, about: &Traced<'_>) {
        _ = (span, about);
    }

    /// What a span is about has failed: the task was not stored, or the run or the aggregation ended in this error. By
    /// default it does nothing.
    fn failed(&self, span: &Span, error: &(dyn Error + 'static)) {
        _ = (span, error);
    }
}

/// What a span is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Traced<'a> {
    /// A task is stored (span `enqueue`).
    #[non_exhaustive]
    Enqueue {
        /// Its queue.
        queue: &'a str,
        /// Its type.
        task_type: &'a str,
        /// Its ID.
        id: &'a str,
    },
    /// A handler runs for a task (span `task`).
    #[non_exhaustive]
    Run {
        /// Its queue.
        queue: &'a str,
        /// Its type.
        task_type: &'a str,
        /// Its ID.
        id: &'a str,
        /// The how-manieth attempt it is, from 1.
        attempt: i32,
    },
    /// An aggregator makes one task of many (span `aggregate`).
    #[non_exhaustive]
    Aggregate {
        /// Their queue.
        queue: &'a str,
        /// Their group.
        group: &'a str,
        /// How many they are.
        tasks: usize,
    },
}
