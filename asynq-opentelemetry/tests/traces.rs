//! Traces over a real Redis: from a producer through every attempt of a worker, and on to what its jobs enqueue.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use asynq::{Client, Ctx, PeriodicTask, Scheduler, Server, Task, TaskOptions, aggregator, job};
use asynq_opentelemetry::OpenTelemetry;
use asynq_testkit::{Child, RedisServer, eventually};
use opentelemetry::trace::{SpanId, SpanKind, Status, TracerProvider as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tokio::process::Command;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

#[job(name = "inner", retention = "10m")]
async fn inner() -> Result<u32, String> {
    Ok(1)
}

#[job(name = "outer", retention = "10m")]
async fn outer(ctx: &Ctx) -> anyhow::Result<u32> {
    Ok(Inner::new().enqueue(ctx).task_id("inner").await?.wait(ctx).await?)
}

/// Panics at first, and succeeds then.
#[job(name = "shaky", retention = "10m", backoff = fixed("1s"))]
async fn shaky(ctx: &Ctx) -> Result<u32, String> {
    assert!(ctx.retried() > 0, "a bug");
    Ok(2)
}

#[job(name = "part", queue = "parts")]
async fn part(number: u32) {
    unreachable!("{number} is aggregated");
}

#[aggregator(max_size = 3)]
async fn whole(parts: Vec<Part>) -> JoinParts {
    JoinParts::new(parts.into_iter().map(|part| part.number).sum())
}

#[job(name = "whole", queue = "parts")]
async fn join_parts(sum: u32) {
    assert_eq!(sum, 6);
}

#[job(name = "tick")]
async fn tick() {}

/// Where the spans of all tests of this program go.
fn exporter() -> InMemorySpanExporter {
    static EXPORTER: OnceLock<InMemorySpanExporter> = OnceLock::new();
    let new = || {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
        exporter
    };
    EXPORTER.get_or_init(new).clone()
}

/// A span's attribute, as text.
fn attribute(span: &SpanData, name: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
    attribute.map(|attribute| attribute.value.to_string())
}

/// Spans that have ended: those with this name that are about this type or group of tasks, by their beginning.
fn spans(name: &str, about: &str) -> Vec<SpanData> {
    let mut spans = exporter().get_finished_spans().unwrap();
    spans.retain(|span| {
        let is_about = |field| attribute(span, field).as_deref() == Some(about);
        span.name == name && (is_about("task_type") || is_about("group"))
    });
    spans.sort_by_key(|span| span.start_time);
    spans
}

async fn span(name: &str, about: &str) -> SpanData {
    eventually(&format!("the span {name} of {about} has ended"), async || spans(name, about).pop()).await
}

async fn client(redis: &RedisServer) -> Client {
    let client = Client::connect(&redis.url()).await.unwrap();
    client.propagator(OpenTelemetry::new(TraceContextPropagator::new()))
}

/// A Redis, a client for producers, and a worker of all jobs here, without their schedules.
async fn worker() -> (RedisServer, Client, Server) {
    exporter();
    let redis = RedisServer::start().await;
    let (producer, consumer) = (client(&redis).await, client(&redis).await);
    let server = Server::builder(&consumer).registered().concurrency(4).start().await.unwrap();
    (redis, producer, server)
}

fn is_child(span: &SpanData, parent: &SpanData) -> bool {
    span.parent_span_id == parent.span_context.span_id()
        && span.span_context.trace_id() == parent.span_context.trace_id()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_from_the_producer_to_the_worker_and_on() {
    let (_redis, producer, server) = worker().await;
    let request = tracing::info_span!("request", task_type = "the request");
    let sent = Outer::new().enqueue(&producer).task_id("outer").into_future();
    let sent = sent.instrument(request.clone()).await.unwrap();
    drop(request);
    assert_eq!(sent.wait(&producer).await.unwrap(), 1);

    let request = span("request", "the request").await;
    let (sent_outer, outer) = (span("send default", "outer").await, span("process default", "outer").await);
    let (sent_inner, inner) = (span("send default", "inner").await, span("process default", "inner").await);
    assert_eq!(request.parent_span_id, SpanId::INVALID);
    for (child, parent) in
        [(&sent_outer, &request), (&outer, &sent_outer), (&sent_inner, &outer), (&inner, &sent_inner)]
    {
        assert!(is_child(child, parent), "{child:?} is no child of {parent:?}");
    }
    assert_eq!((&sent_outer.span_kind, &outer.span_kind), (&SpanKind::Producer, &SpanKind::Consumer));
    for (span, operation, kind) in [(&sent_outer, "enqueue", "send"), (&outer, "run", "process")] {
        for (name, value) in [
            ("messaging.system", "asynq"),
            ("messaging.operation.name", operation),
            ("messaging.operation.type", kind),
            ("messaging.destination.name", "default"),
            ("messaging.message.id", "outer"),
            ("task_type", "outer"),
        ] {
            assert_eq!(attribute(span, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(span.status, Status::Unset);
    }

    // As Go programs see it.
    let parent =
        format!("00-{}-{}-01", sent_outer.span_context.trace_id(), sent_outer.span_context.span_id());
    assert_eq!(sent.headers.get("traceparent"), Some(&parent));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attempt_is_in_the_trace_and_says_how_it_went() {
    let (_redis, producer, server) = worker().await;
    // Outside a span a trace begins.
    let sent = Shaky::new().enqueue(&producer).await.unwrap();
    assert_eq!(sent.wait(&producer).await.unwrap(), 2);
    let send = span("send default", "shaky").await;
    assert_eq!(send.parent_span_id, SpanId::INVALID);
    let attempts = eventually("two attempts have ended", async || {
        Some(spans("process default", "shaky")).filter(|attempts| attempts.len() == 2)
    })
    .await;
    for (attempt, number) in attempts.iter().zip(["1", "2"]) {
        assert!(is_child(attempt, &send), "{attempt:?}");
        assert_eq!(attribute(attempt, "attempt").as_deref(), Some(number));
    }
    assert_eq!(attempts[0].status, Status::error("panic: a bug"));
    assert_eq!(attribute(&attempts[0], "error.type").as_deref(), Some("panic"));
    assert_eq!((&attempts[1].status, attribute(&attempts[1], "error.type")), (&Status::Unset, None));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregation_is_linked_to_the_traces_of_its_tasks() {
    let (_redis, producer, server) = worker().await;
    for number in 1..=3 {
        Part::new(number).enqueue(&producer).group("g").await.unwrap();
    }
    let (sent, ran) = (span("send parts", "whole").await, span("process parts", "whole").await);
    let aggregation = span("process parts", "g").await;
    assert!(is_child(&sent, &aggregation) && is_child(&ran, &sent), "{sent:?} {ran:?}");
    assert_eq!(aggregation.parent_span_id, SpanId::INVALID);
    assert_eq!(attribute(&aggregation, "messaging.batch.message_count").as_deref(), Some("3"));
    let parts = spans("send parts", "part");
    let sent: BTreeSet<_> = parts.iter().map(|part| part.span_context.span_id().to_bytes()).collect();
    let linked: BTreeSet<_> =
        aggregation.links.iter().map(|link| link.span_context.span_id().to_bytes()).collect();
    assert_eq!((sent.len(), linked), (3, sent));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_of_a_schedule_begins_a_trace() {
    let (_redis, producer, server) = worker().await;
    let scheduler = Scheduler::builder(&producer).build().unwrap();
    scheduler.start().unwrap();
    scheduler.register(PeriodicTask::new("@every 1s", Tick::new())).unwrap();
    let ran = span("process default", "tick").await;
    scheduler.shutdown().await;
    let sent = spans("send default", "tick");
    let sent = sent.iter().find(|sent| is_child(&ran, sent)).unwrap();
    assert_eq!(sent.parent_span_id, SpanId::INVALID);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_task_says_itself_is_kept_and_what_is_refused_has_failed() {
    exporter();
    let redis = RedisServer::start().await;
    let producer = client(&redis).await;
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let options = TaskOptions::new().header("traceparent", own).process_in(Duration::from_secs(60));
    let task = || Task::new("other", "").unwrap().options(options.clone().task_id("it"));
    let sent = producer.enqueue(task()).instrument(tracing::info_span!("another request")).await.unwrap();
    assert_eq!(sent.headers.get("traceparent").map(String::as_str), Some(own));
    assert!(producer.enqueue(task()).await.is_err());
    let refused = span("send default", "other").await;
    assert!(matches!(&refused.status, Status::Error { description } if description.contains("conflict")));
    assert_eq!(attribute(&refused, "error.type").as_deref(), Some("_OTHER"));
    // Of many at a time, each has a span of its own.
    let many = (0..3).map(|n| Task::new("many", format!("{n}")).unwrap());
    let stored = producer.enqueue_all(many).await;
    let parents: BTreeSet<_> =
        stored.into_iter().map(|sent| sent.unwrap().headers.get("traceparent").cloned().unwrap()).collect();
    assert_eq!((parents.len(), spans("send default", "many").len()), (3, 3));
}

#[tokio::test]
async fn the_example_shows_one_tree() {
    let folder = std::env::current_exe().unwrap();
    let program = folder.parent().unwrap().parent().unwrap().join("examples/traces");
    if !program.exists() {
        let built = std::process::Command::new(env!("CARGO")).args(["build", "--example", "traces"]).status();
        assert!(built.unwrap().success(), "the example does not build");
    }
    let mut traces = Child::spawn(&mut Command::new(program));
    assert!(traces.ended().await);
    let tree = [
        "request",
        "  send mail (notice)",
        "  send mail (notice)",
        "  send orders (close_order)",
        "    process orders (close_order), attempt 1: failed, the till is busy",
        "    process orders (close_order), attempt 2",
        "      send invoices (render_invoice)",
        "        process invoices (render_invoice), attempt 1",
        "process mail (digest), linked to 2 spans",
        "  send mail (send_mail)",
        "    process mail (send_mail), attempt 1",
    ];
    eventually("all is printed", async || (traces.lines().len() >= tree.len()).then_some(())).await;
    assert_eq!(traces.lines(), tree);
}
