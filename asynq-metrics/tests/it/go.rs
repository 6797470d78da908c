//! Beside Go's exporter, on the same Redis.

use asynq_core::client::Client;
use asynq_metrics::Exporter;
use asynq_testkit::{GoPeer, RedisServer};

use crate::support::{samples, seed};

/// Lines without what each side says in its own words, and without what changes from one moment to the next.
fn comparable(scrape: &str) -> Vec<String> {
    let lines = scrape.lines().filter(|line| !line.starts_with("# HELP"));
    lines
        .map(|line| match line.rsplit_once(' ') {
            Some((name, seconds)) if name.starts_with("asynq_queue_latency_seconds{") => {
                format!("{name} {}", if seconds == "0" { "none" } else { "some" })
            }
            _ => line.to_owned(),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_seven_families_are_the_same_byte_for_byte() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let go = GoPeer::new(&redis.url());
    seed(&client).await;
    // What Go enqueued counts as well.
    go.enqueue(serde_json::json!({"type": "from-go", "opts": {"queue": "go"}})).await;
    let theirs = go.metrics().await;
    let ours = Exporter::new(&client).memory(true).text().await;

    let is_gos = |line: &String| !line.contains("asynq_x_") && !line.contains("state=\"aggregating\"");
    let ours_like_theirs: Vec<String> = comparable(&ours).into_iter().filter(is_gos).collect();
    let theirs_as_lines = comparable(&theirs);
    assert_eq!(theirs_as_lines, ours_like_theirs);
    assert_eq!(theirs_as_lines.iter().filter(|line| line.starts_with("# TYPE")).count(), 7);

    let latency = |scrape: &str| -> f64 {
        samples(scrape)["asynq_queue_latency_seconds{queue=\"mail\"}"].parse().unwrap()
    };
    assert!((latency(&ours) - latency(&theirs)).abs() < 5.0, "{theirs}\n{ours}");
    let more = samples(&ours);
    assert_eq!(more["asynq_tasks_enqueued_total{queue=\"mail\",state=\"aggregating\"}"], "1");
    assert_eq!(more["asynq_tasks_enqueued_total{queue=\"go\",state=\"pending\"}"], "1");
}
