//! [`Meters`]: the runs of a worker, as instruments of OpenTelemetry.

use std::time::Duration;

use asynq_core::telemetry::{Observer, Run, RunOutcome};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

/// Upper bounds of the buckets, in seconds.
const BOUNDS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// Counts what a worker runs with a meter of OpenTelemetry: an [`Observer`] of its server. Where the numbers go, and in
/// which form, is what the meter's provider is set up for; with `opentelemetry-otlp` they go to a collector.
///
/// | name | kind | unit |
/// |---|---|---|
/// | `messaging.process.duration` | histogram | s |
/// | `messaging.client.consumed.messages` | counter | `{message}` |
/// | `asynq.task.wait` | histogram: how long tasks were pending | s |
/// | `asynq.tasks.in_flight` | up-down counter | `{task}` |
///
/// Each has the attributes `messaging.system` (`asynq`), `messaging.operation.name` (`run`), `messaging.destination.name` (the
/// queue) and `asynq.task.type`; the first two `asynq.outcome` ([`RunOutcome::as_str`]) as well, and where that is neither
/// `ok` nor `put_back` also `error.type`. Types are as many as jobs: limit them by a view of your provider where others
/// decide what is enqueued.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::server::Server;
/// use asynq_opentelemetry::Meters;
///
/// // By the provider that the program has set up.
/// let meters = Meters::new(&opentelemetry::global::meter("my-worker"));
/// let server = Server::builder(&Client::in_memory()).observer(meters);
/// # drop(server);
/// ```
#[derive(Clone, Debug)]
pub struct Meters {
    ran: Histogram<f64>,
    waited: Histogram<f64>,
    finished: Counter<u64>,
    in_flight: UpDownCounter<i64>,
}

impl Meters {
    /// With instruments of this meter.
    pub fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, description: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(description);
            histogram.with_boundaries(BOUNDS.to_vec()).build()
        };
        Self {
            ran: seconds("messaging.process.duration", "How long runs of tasks took."),
            waited: seconds("asynq.task.wait", "How long tasks were pending before they ran."),
            finished: meter
                .u64_counter("messaging.client.consumed.messages")
                .with_unit("{message}")
                .with_description("Runs of tasks that ended.")
                .build(),
            in_flight: meter
                .i64_up_down_counter("asynq.tasks.in_flight")
                .with_unit("{task}")
                .with_description("Tasks that run now.")
                .build(),
        }
    }
}

impl Observer for Meters {
    fn started(&self, run: &Run<'_>, waited: Option<Duration>) {
        let attributes = attributes(run);
        self.in_flight.add(1, &attributes);
        if let Some(waited) = waited {
            self.waited.record(waited.as_secs_f64(), &attributes);
        }
    }

    fn ended(&self, run: &Run<'_>, outcome: RunOutcome, took: Option<Duration>) {
        let mut attributes = attributes(run).to_vec();
        self.in_flight.add(-1, &attributes);
        attributes.push(KeyValue::new("asynq.outcome", outcome.as_str()));
        if !matches!(outcome, RunOutcome::Ok | RunOutcome::PutBack) {
            attributes.push(KeyValue::new("error.type", error_type(outcome)));
        }
        self.finished.add(1, &attributes);
        if let Some(took) = took.filter(|_| outcome != RunOutcome::PutBack) {
            self.ran.record(took.as_secs_f64(), &attributes);
        }
    }
}

fn attributes(run: &Run<'_>) -> [KeyValue; 4] {
    [
        KeyValue::new("messaging.system", "asynq"),
        KeyValue::new("messaging.operation.name", "run"),
        KeyValue::new("messaging.destination.name", run.queue.to_owned()),
        KeyValue::new("asynq.task.type", run.task_type.to_owned()),
    ]
}

/// What went wrong, where it has a name.
fn error_type(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Panic | RunOutcome::Timeout | RunOutcome::Cancelled => outcome.as_str(),
        _ => "_OTHER",
    }
}
