//! Traces over a real Redis: from a producer to a worker, and on to what its jobs enqueue.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use asynq::{Client, Ctx, Server, Task, TaskOptions, job};
use asynq_opentelemetry::OpenTelemetry;
use asynq_testkit::{Child, RedisServer, eventually};
use opentelemetry::trace::TracerProvider as _;
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

async fn client(redis: &RedisServer) -> Client {
    let client = Client::connect(&redis.url()).await.unwrap();
    client.propagator(OpenTelemetry::new(TraceContextPropagator::new()))
}

/// The span in which a task of this type ran.
async fn span_of(exporter: &InMemorySpanExporter, task_type: &str) -> SpanData {
    eventually(&format!("the span of {task_type} has ended"), async || {
        let spans = exporter.get_finished_spans().unwrap();
        spans.into_iter().find(|span| {
            let is_type = |field: &opentelemetry::KeyValue| {
                field.key.as_str() == "task_type" && field.value.as_str() == task_type
            };
            span.name == "task" && span.attributes.iter().any(is_type)
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_from_the_producer_to_the_worker_and_on() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let redis = RedisServer::start().await;
    let (producer, consumer) = (client(&redis).await, client(&redis).await);
    let server = Server::builder(&consumer).registered().concurrency(4).start().await.unwrap();

    let request = tracing::info_span!("request");
    let sent = Outer::new().enqueue(&producer).task_id("outer").into_future();
    let sent = sent.instrument(request.clone()).await.unwrap();
    drop(request);
    assert_eq!(sent.wait(&producer).await.unwrap(), 1);

    let spans = exporter.get_finished_spans().unwrap();
    let request = spans.iter().find(|span| span.name == "request").unwrap().clone();
    let (outer, inner) = (span_of(&exporter, "outer").await, span_of(&exporter, "inner").await);
    let trace = request.span_context.trace_id();
    assert_eq!((outer.span_context.trace_id(), inner.span_context.trace_id()), (trace, trace));
    assert_eq!(outer.parent_span_id, request.span_context.span_id());
    assert_eq!(inner.parent_span_id, outer.span_context.span_id());

    // As Go programs see it.
    let parent = format!("00-{trace}-{}-01", request.span_context.span_id());
    assert_eq!(sent.headers.get("traceparent"), Some(&parent));

    // Outside a span there is nothing to go on with, and what a task says itself is kept.
    let plain = producer.enqueue(Task::new("other", "").unwrap()).await.unwrap();
    assert!(plain.headers.is_empty(), "{:?}", plain.headers);
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let options = TaskOptions::new().header("traceparent", own).process_in(Duration::from_secs(60));
    let task = Task::new("other", "").unwrap().options(options);
    let own_sent = producer.enqueue(task).instrument(tracing::info_span!("another request")).await.unwrap();
    assert_eq!(own_sent.headers.get("traceparent").map(String::as_str), Some(own));
    server.shutdown().await;
}

#[tokio::test]
async fn the_example_shows_one_trace() {
    let folder = std::env::current_exe().unwrap();
    let program = folder.parent().unwrap().parent().unwrap().join("examples/traces");
    if !program.exists() {
        let built = std::process::Command::new(env!("CARGO")).args(["build", "--example", "traces"]).status();
        assert!(built.unwrap().success(), "the example does not build");
    }
    let mut traces = Child::spawn(&mut Command::new(program));
    assert!(traces.ended().await);
    traces.line("the last line", |line| line == "3 spans, one trace").await;
}
