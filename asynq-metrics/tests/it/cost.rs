//! What a scrape costs Redis, however many queues there are and however many ask.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::task::TaskOptions;
use asynq_metrics::Exporter;
use asynq_testkit::RedisServer;
use tokio::task::JoinSet;

use crate::support::{samples, task};

const QUEUES: usize = 5_000;

/// How often a command was sent since the statistics were reset.
async fn calls(redis: &RedisServer, command: &str) -> usize {
    let info: String = redis.command(&["INFO", "commandstats"]).await;
    let line = info.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_queues_cost_two_commands_each_once_for_all_who_ask() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let tasks = (0..QUEUES).map(|n| task(&format!("q{n}"), "a", TaskOptions::new()));
    for enqueued in client.enqueue_all(tasks).await {
        enqueued.unwrap();
    }
    redis.command::<()>(&["CONFIG", "SET", "slowlog-log-slower-than", "50000"]).await;
    redis.command::<()>(&["SLOWLOG", "RESET"]).await;
    redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;

    // Long enough for a busy machine.
    let minute = Duration::from_secs(60);
    let exporter = Exporter::new(&client).timeout(minute).max_age(minute);
    let mut scrapers = JoinSet::new();
    for _ in 0..50 {
        let exporter = exporter.clone();
        scrapers.spawn(async move { exporter.text().await });
    }
    let texts = scrapers.join_all().await;
    assert!(texts.iter().all(|text| *text == texts[0]), "all are told the same");
    let scrape = samples(&texts[0]);
    assert_eq!(scrape["asynq_queue_size{queue=\"q4999\"}"], "1");
    assert_eq!(scrape.keys().filter(|name| name.starts_with("asynq_queue_size{")).count(), QUEUES);

    // The first few find that the server does not know the two scripts yet.
    let counted = calls(&redis, "evalsha").await;
    assert!((2 * QUEUES..=2 * QUEUES + 128).contains(&counted), "{counted}");
    // Groups are listed inside one of them.
    let listed = calls(&redis, "sscan").await;
    assert!((QUEUES..QUEUES + 100).contains(&listed), "{listed}");
    assert_eq!(calls(&redis, "memory|usage").await, 0, "no memory is sampled unless asked for");
    let slow: usize = redis.command(&["SLOWLOG", "LEN"]).await;
    assert_eq!(slow, 0);
}
