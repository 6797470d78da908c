//! A Redis that is not there, that does not answer, and that comes back.

use std::time::Duration;

use asynq_core::broker::redis::ConnectOptions;
use asynq_core::client::Client;
use asynq_metrics::Exporter;
use asynq_testkit::{Fault, Proxy, RedisServer, eventually};
use tokio::time::Instant;

use crate::support::samples;

/// The names of the families that are told without a store.
const OWN: [&str; 3] = ["asynq_x_scrape_duration_seconds", "asynq_x_scrape_errors_total", "asynq_x_up"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_redis_it_says_so_and_no_more_and_finds_it_later() {
    let mut redis = RedisServer::start().await;
    let url = redis.url();
    redis.kill().await;
    let options = ConnectOptions::new(&url).unwrap().connect_timeout(Duration::from_millis(500));
    let exporter = || Exporter::connecting(options.clone()).timeout(Duration::from_secs(2));
    let first = exporter();
    let scrape = first.scrape().await;
    let names: Vec<_> = samples(&asynq_metrics::text(&scrape.families)).into_keys().collect();
    assert_eq!(names, OWN);
    let text = first.text().await;
    assert!(text.contains("asynq_x_up 0\n") && text.contains("asynq_x_scrape_errors_total 1\n"), "{text}");
    let error = scrape.error.unwrap();
    assert!(error.contains("127.0.0.1"), "{error}");

    redis.restart().await;
    eventually("it is found", async || exporter().text().await.contains("asynq_x_up 1\n").then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_does_not_answer_keeps_nobody_waiting() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port()).await;
    let client = Client::connect(&proxy.url()).await.unwrap();
    let exporter = Exporter::new(&client).timeout(Duration::from_millis(300));
    proxy.set(Fault::DropReplies);
    let begin = Instant::now();
    let all: Vec<_> = (0..20).map(|_| exporter.clone()).collect();
    let mut scrapes = tokio::task::JoinSet::new();
    for exporter in all {
        scrapes.spawn(async move { exporter.text().await });
    }
    while let Some(text) = scrapes.join_next().await {
        assert!(text.unwrap().contains("asynq_x_up 0\n"));
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "took {:?}", begin.elapsed());
    // One look failed, not twenty.
    assert!(exporter.text().await.contains("asynq_x_scrape_errors_total 1\n"));
    proxy.set(Fault::None);
}
