//! One trace over several tasks: `cargo run -p asynq-opentelemetry --example traces`.
//!
//! The spans are kept in memory here and printed at the end; a real program exports them to a collector.

use asynq::{Client, Ctx, Server, job};
use asynq_opentelemetry::OpenTelemetry;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

#[job(retention = "10m")]
async fn render_invoice(number: u32) -> anyhow::Result<u32> {
    Ok(number)
}

/// A job that enqueues another one.
#[job(retention = "10m")]
async fn close_order(number: u32, ctx: &Ctx) -> anyhow::Result<u32> {
    Ok(RenderInvoice::new(number).enqueue(ctx).await?.wait(ctx).await?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("traces"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;

    // In production: Client::connect("redis://127.0.0.1:6379").await?, in producers and workers alike.
    let client = Client::in_memory().propagator(OpenTelemetry::new(TraceContextPropagator::new()));
    let server = Server::builder(&client).registered().concurrency(2).start().await?;

    // A request to a web server, say.
    let request = tracing::info_span!("request");
    let sent = CloseOrder::new(7).enqueue(&client).into_future().instrument(request.clone()).await?;
    drop(request);
    sent.wait(&client).await?;
    server.shutdown().await;

    let mut spans = exporter.get_finished_spans()?;
    spans.retain(|span| span.name == "request" || span.name == "task");
    spans.sort_by_key(|span| span.start_time);
    for span in &spans {
        println!("{} of trace {}", span.name, span.span_context.trace_id());
    }
    let is_one = spans.iter().all(|span| span.span_context.trace_id() == spans[0].span_context.trace_id());
    println!("{} spans, {}", spans.len(), if is_one { "one trace" } else { "several traces" });
    Ok(())
}
