//! One trace over several tasks, as a tree: `cargo run -p asynq-opentelemetry --example traces`.
//!
//! The spans are kept in memory here and printed at the end; a real program exports them to a collector.

use std::collections::BTreeMap;

use asynq::{Client, Ctx, Server, State, aggregator, job};
use asynq_opentelemetry::OpenTelemetry;
use opentelemetry::trace::{SpanId, Status, TracerProvider as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tokio::sync::mpsc;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// Fails at first, and enqueues another job when it does not.
#[job(queue = "orders", retention = "10m", backoff = fixed("1s"))]
async fn close_order(number: u32, ctx: &Ctx) -> anyhow::Result<u32> {
    anyhow::ensure!(ctx.retried() > 0, "the till is busy");
    Ok(RenderInvoice::new(number).enqueue(ctx).await?.wait(ctx).await?)
}

#[job(queue = "invoices", retention = "10m")]
async fn render_invoice(number: u32) -> anyhow::Result<u32> {
    Ok(number)
}

/// Two of these become one mail.
#[job(queue = "mail")]
async fn notice(text: String) {
    println!("never run by itself: {text}");
}

#[aggregator(max_size = 2)]
async fn digest(notices: Vec<Notice>) -> SendMail {
    SendMail::new(notices.into_iter().map(|notice| notice.text).collect())
}

#[job(queue = "mail")]
async fn send_mail(lines: Vec<String>, State(sent): State<mpsc::Sender<usize>>) -> anyhow::Result<()> {
    Ok(sent.send(lines.len()).await?)
}

/// A request to a web server, say.
async fn request(client: &Client) -> anyhow::Result<u32> {
    for text in ["closing 7", "closed 7"] {
        Notice::new(text).enqueue(client).group("ann").await?;
    }
    Ok(CloseOrder::new(7).enqueue(client).await?.wait(client).await?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("traces"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;

    // In production: Client::connect("redis://127.0.0.1:6379").await?, in producers and workers alike.
    let client = Client::in_memory().propagator(OpenTelemetry::new(TraceContextPropagator::new()));
    let (sender, mut mails) = mpsc::channel::<usize>(1);
    let server = Server::builder(&client).registered().state(sender).concurrency(4).start().await?;
    request(&client).instrument(tracing::info_span!("request")).await?;
    mails.recv().await;
    server.shutdown().await;

    let mut children: BTreeMap<[u8; 8], Vec<SpanData>> = BTreeMap::new();
    let mut spans = exporter.get_finished_spans()?;
    spans.sort_by_key(|span| span.start_time);
    for span in spans {
        children.entry(span.parent_span_id.to_bytes()).or_default().push(span);
    }
    print_below(SpanId::INVALID, &children, 0);
    Ok(())
}

fn print_below(parent: SpanId, children: &BTreeMap<[u8; 8], Vec<SpanData>>, depth: usize) {
    for span in children.get(&parent.to_bytes()).into_iter().flatten() {
        println!("{}{}", "  ".repeat(depth), line(span));
        print_below(span.span_context.span_id(), children, depth + 1);
    }
}

/// A span in one line: its name, whose it is, how it went, what it is linked to.
fn line(span: &SpanData) -> String {
    let of = |name: &str| {
        let attribute = span.attributes.iter().find(|attribute| attribute.key.as_str() == name)?;
        Some(attribute.value.to_string())
    };
    let whose = of("task_type").or(of("aggregator")).map(|whose| format!(" ({whose})")).unwrap_or_default();
    let attempt = of("attempt").map(|attempt| format!(", attempt {attempt}")).unwrap_or_default();
    let failure = match &span.status {
        Status::Error { description } => format!(": failed, {description}"),
        _ => String::new(),
    };
    let links = match span.links.len() {
        0 => String::new(),
        links => format!(", linked to {links} spans"),
    };
    format!("{}{whose}{attempt}{failure}{links}", span.name)
}
