//! Metrics of a worker, by OpenTelemetry's own reader.
#![cfg(feature = "metrics")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use asynq::{Client, Server, Task};
use asynq_opentelemetry::Meters;
use asynq_testkit::eventually;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

fn text<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> String {
    let mut all: Vec<String> =
        attributes.map(|attribute| format!("{}={}", attribute.key, attribute.value)).collect();
    all.sort();
    all.join(" ")
}

/// The last number, or count of a histogram, of each instrument and set of attributes.
fn read(exporter: &InMemoryMetricExporter) -> BTreeMap<(String, String), i64> {
    let mut found = BTreeMap::new();
    let finished = exporter.get_finished_metrics().unwrap();
    let scopes = finished.iter().flat_map(ResourceMetrics::scope_metrics);
    for metric in scopes.flat_map(ScopeMetrics::metrics) {
        let mut put =
            |attributes: String, number| found.insert((metric.name().to_owned(), attributes), number);
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => sum.data_points().for_each(|point| {
                put(text(point.attributes()), point.value().cast_signed());
            }),
            AggregatedMetrics::I64(MetricData::Sum(sum)) => sum.data_points().for_each(|point| {
                put(text(point.attributes()), point.value());
            }),
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                histogram.data_points().for_each(|point| {
                    put(text(point.attributes()), point.count().cast_signed());
                });
            }
            other => panic!("{other:?}"),
        }
    }
    found
}

#[tokio::test]
async fn runs_are_measured_in_the_words_of_the_conventions() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let client = Client::in_memory();
    let router = asynq::Router::new()
        .route("good", async |_: asynq::Ctx| Ok::<_, String>(()))
        .unwrap()
        .route("bad", async |_: asynq::Ctx| -> Result<(), String> { panic!("a bug") })
        .unwrap();
    let server = Server::builder(&client).router(router).observer(Meters::new(&provider.meter("asynq")));
    let server = server.start().await.unwrap();
    for task_type in ["good", "good", "bad"] {
        client.enqueue(Task::new(task_type, "").unwrap()).await.unwrap();
    }
    let of = |task_type: &str, more: &str| {
        let error = if more.ends_with("panic ") { "error.type=panic " } else { "" };
        format!(
            "{more}asynq.task.type={task_type} {error}messaging.destination.name=default \
             messaging.operation.name=run messaging.system=asynq"
        )
    };
    let good = of("good", "asynq.outcome=ok ");
    let bad = of("bad", "asynq.outcome=panic ");
    let told = eventually("three runs are told", async || {
        provider.force_flush().unwrap();
        let told = read(&exporter);
        let of = |attributes: &String| {
            told.get(&("messaging.client.consumed.messages".to_owned(), attributes.clone())).copied()
        };
        (of(&good) == Some(2) && of(&bad) == Some(1)).then_some(told)
    })
    .await;
    let of_name = |name: &str, attributes: &str| told[&(name.to_owned(), attributes.to_owned())];
    assert_eq!(of_name("messaging.process.duration", &good), 2);
    assert_eq!(of_name("messaging.process.duration", &bad), 1);
    assert_eq!(of_name("asynq.task.wait", &of("good", "")), 2);
    assert_eq!(of_name("asynq.tasks.in_flight", &of("bad", "")), 0);
    server.shutdown().await;
}
