//! What a worker tells of its own runs, and the store of those of all workers.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::router::RetryPolicy;
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions};
use asynq_core::telemetry::{Observer, Run, RunOutcome};
use asynq_metrics::{Exporter, WorkerMetrics};
use asynq_testkit::{GoPeer, RedisServer, eventually};
use serde_json::json;

use crate::support::{router, samples, task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_workers_and_ours_are_in_one_scrape_and_ours_tell_more() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let go = GoPeer::new(&redis.url());
    let metrics = WorkerMetrics::new();
    let server = Server::builder(&client)
        .router(router())
        .queues([("rust", 1)])
        .retry_policy(RetryPolicy::Fixed(Duration::from_secs(3_600)))
        .observer(metrics.clone())
        .start()
        .await
        .unwrap();
    let go_worker = go.serve(&["--queues", "go=1", "--concurrency", "3"]).await;
    for id in ["one", "two", "bad"] {
        client.enqueue(task("rust", id, TaskOptions::new())).await.unwrap();
    }
    // As Go enqueues it, so that its writing of the time is read.
    go.enqueue(json!({"type": "t", "opts": {"queue": "rust"}})).await;
    go.enqueue_all((0..2).map(|_| json!({"type": "t", "opts": {"queue": "go"}}))).await;

    let scrape = eventually("six runs have ended, and both servers have told of themselves", async || {
        let scrape = samples(&Exporter::new(&client).text().await);
        let is = |name: &str, value: &str| scrape.get(name).is_some_and(|found| found == value);
        (is("asynq_tasks_processed_total{queue=\"rust\"}", "4")
            && is("asynq_tasks_processed_total{queue=\"go\"}", "2")
            && is("asynq_x_servers{status=\"active\"}", "2"))
        .then_some(scrape)
    })
    .await;
    assert_eq!(scrape["asynq_tasks_failed_total{queue=\"rust\"}"], "1");
    for queue in ["go", "rust"] {
        assert_eq!(scrape[&format!("asynq_x_queue_consumers{{queue=\"{queue}\"}}")], "1");
    }

    let own = samples(&metrics.text());
    let of = |name: &str, labels: &str| own[&format!("asynq_x_{name}{{{labels}}}")].as_str();
    let names = "queue=\"rust\",type=\"t\"";
    assert_eq!(of("tasks_finished_total", &format!("outcome=\"ok\",{names}")), "3");
    assert_eq!(of("tasks_finished_total", &format!("outcome=\"retry\",{names}")), "1");
    assert_eq!(of("tasks_in_flight", names), "0");
    assert_eq!(of("task_run_seconds_count", names), "4");
    assert_eq!(of("task_wait_seconds_count", names), "4", "Go's tasks too say since when they are pending");
    assert_eq!(of("task_run_seconds_bucket", &format!("{names},le=\"+Inf\"")), "4");
    assert!(of("task_wait_seconds_sum", names).parse::<f64>().unwrap() < 60.0);
    assert_eq!(own.keys().filter(|name| name.contains("queue=\"go\"")).count(), 0);
    go_worker.kill().await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_cluster_waits_are_told_as_well() {
    let cluster = asynq_testkit::RedisCluster::start().await;
    let client = Client::connect(&cluster.url()).await.unwrap();
    let metrics = WorkerMetrics::new();
    let queues = ["q1", "q2", "q3"];
    for queue in queues {
        client.enqueue(task(queue, "a", TaskOptions::new())).await.unwrap();
    }
    let server = Server::builder(&client)
        .router(router())
        .queues(queues.map(|queue| (queue, 1)))
        .observer(metrics.clone())
        .start()
        .await
        .unwrap();
    eventually("all have waited and are done", async || {
        let told = samples(&metrics.text());
        let counts = queues.map(|queue| {
            told.get(&format!("asynq_x_task_wait_seconds_count{{queue=\"{queue}\",type=\"t\"}}")).cloned()
        });
        (counts.iter().all(|count| count.as_deref() == Some("1"))).then_some(())
    })
    .await;
    server.shutdown().await;
}

#[test]
fn types_that_are_one_too_many_are_called_other() {
    let metrics = WorkerMetrics::with(2, [Duration::from_secs(1)]);
    for (queue, task_type) in [("a", "one"), ("a", "two"), ("a", "three"), ("b", "four"), ("b", "one")] {
        let run = Run::new(queue, task_type);
        metrics.started(&run, None);
        metrics.ended(&run, RunOutcome::Ok, Some(Duration::from_millis(10)));
    }
    metrics.started(&Run::new("a", "five"), None);
    let told = samples(&metrics.text());
    let in_flight: Vec<_> = told
        .iter()
        .filter(|(name, _)| name.starts_with("asynq_x_tasks_in_flight"))
        .map(|(name, value)| (name.clone(), value.as_str()))
        .collect();
    let of = |labels: &str| format!("asynq_x_tasks_in_flight{{{labels}}}");
    let expected = [
        (of("queue=\"a\",type=\"one\""), "0"),
        (of("queue=\"a\",type=\"other\""), "1"),
        (of("queue=\"a\",type=\"two\""), "0"),
        (of("queue=\"b\",type=\"one\""), "0"),
        (of("queue=\"b\",type=\"other\""), "0"),
    ];
    assert_eq!(in_flight, expected);
    assert!(!told.keys().any(|name| name.contains("wait_seconds")), "nobody knows how long they waited");
}

#[test]
fn what_is_put_back_is_counted_and_is_in_no_run_time() {
    let metrics = WorkerMetrics::new();
    let run = Run::new("q", "t");
    metrics.started(&run, Some(Duration::from_secs(2)));
    metrics.ended(&run, RunOutcome::PutBack, Some(Duration::from_millis(10)));
    let told = samples(&metrics.text());
    assert_eq!(told["asynq_x_tasks_finished_total{outcome=\"put_back\",queue=\"q\",type=\"t\"}"], "1");
    assert_eq!(told["asynq_x_task_wait_seconds_bucket{queue=\"q\",type=\"t\",le=\"2.5\"}"], "1");
    assert!(!told.keys().any(|name| name.contains("run_seconds")));
}

#[tokio::test]
async fn a_worker_in_memory_is_counted_too() {
    let client = Client::in_memory();
    let metrics = WorkerMetrics::new();
    let server = Server::builder(&client).router(router()).observer(metrics.clone()).start().await.unwrap();
    client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
    let inspector = Inspector::new(&client);
    eventually("it is done", async || {
        (inspector.queue_info("default").await.ok()?.processed_total == 1).then_some(())
    })
    .await;
    assert!(metrics.text().contains("asynq_x_task_wait_seconds_count{queue=\"default\",type=\"t\"} 1\n"));
    server.shutdown().await;
}
