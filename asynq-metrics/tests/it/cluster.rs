//! A cluster, whose queues are on several nodes.

use asynq_core::client::Client;
use asynq_core::task::TaskOptions;
use asynq_metrics::Exporter;
use asynq_testkit::RedisCluster;

use crate::support::{samples, task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queues_of_all_nodes_are_told() {
    let cluster = RedisCluster::start().await;
    let client = Client::connect(&cluster.url()).await.unwrap();
    for n in 0..12 {
        client.enqueue(task(&format!("q{n}"), "a", TaskOptions::new())).await.unwrap();
    }
    let scrape = samples(&Exporter::new(&client).memory(true).text().await);
    for n in 0..12 {
        assert_eq!(scrape[&format!("asynq_queue_size{{queue=\"q{n}\"}}")], "1");
        let bytes = &scrape[&format!("asynq_queue_memory_usage_approx_bytes{{queue=\"q{n}\"}}")];
        assert!(bytes.parse::<f64>().unwrap() > 0.0, "{bytes}");
    }
    assert_eq!(scrape["asynq_x_up"], "1");
}
