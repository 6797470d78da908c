//! What a scrape of a seeded Redis says, to the letter.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::server::Server;
use asynq_core::task::TaskOptions;
use asynq_core::wire::SchedulerEntry;
use asynq_metrics::Exporter;
use asynq_testkit::{RedisServer, eventually};
use jiff::Timestamp;

use crate::support::{router, samples, seed};

/// All but what depends on the moment.
const EXPECTED: &str = r#"# HELP asynq_queue_latency_seconds How long the oldest pending task of a queue has been waiting.
# TYPE asynq_queue_latency_seconds gauge
asynq_queue_latency_seconds{queue="mail"} *
asynq_queue_latency_seconds{queue="od\"d\\ name"} 0
# HELP asynq_queue_paused_total 1 while a queue is paused, otherwise 0.
# TYPE asynq_queue_paused_total gauge
asynq_queue_paused_total{queue="mail"} 0
asynq_queue_paused_total{queue="od\"d\\ name"} 1
# HELP asynq_queue_size Tasks that a queue holds now.
# TYPE asynq_queue_size gauge
asynq_queue_size{queue="mail"} 8
asynq_queue_size{queue="od\"d\\ name"} 1
# HELP asynq_tasks_enqueued_total Tasks that a queue holds now, by state.
# TYPE asynq_tasks_enqueued_total gauge
asynq_tasks_enqueued_total{queue="mail",state="active"} 0
asynq_tasks_enqueued_total{queue="mail",state="aggregating"} 1
asynq_tasks_enqueued_total{queue="mail",state="archived"} 1
asynq_tasks_enqueued_total{queue="mail",state="completed"} 1
asynq_tasks_enqueued_total{queue="mail",state="pending"} 3
asynq_tasks_enqueued_total{queue="mail",state="retry"} 1
asynq_tasks_enqueued_total{queue="mail",state="scheduled"} 1
asynq_tasks_enqueued_total{queue="od\"d\\ name",state="active"} 0
asynq_tasks_enqueued_total{queue="od\"d\\ name",state="aggregating"} 0
asynq_tasks_enqueued_total{queue="od\"d\\ name",state="archived"} 0
asynq_tasks_enqueued_total{queue="od\"d\\ name",state="completed"} 0
asynq_tasks_enqueued_total{queue="od\"d\\ name",state="pending"} 0
asynq_tasks_enqueued_total{queue="od\"d\\ name",state="retry"} 0
asynq_tasks_enqueued_total{queue="od\"d\\ name",state="scheduled"} 1
# HELP asynq_tasks_failed_total Runs of tasks that failed.
# TYPE asynq_tasks_failed_total counter
asynq_tasks_failed_total{queue="mail"} 2
asynq_tasks_failed_total{queue="od\"d\\ name"} 0
# HELP asynq_tasks_processed_total Runs of tasks that ended, succeeded or failed.
# TYPE asynq_tasks_processed_total counter
asynq_tasks_processed_total{queue="mail"} 4
asynq_tasks_processed_total{queue="od\"d\\ name"} 0
# HELP asynq_x_archive_trimmed_total Archived tasks deleted because they were too many or too old.
# TYPE asynq_x_archive_trimmed_total counter
asynq_x_archive_trimmed_total{queue="mail"} 0
asynq_x_archive_trimmed_total{queue="od\"d\\ name"} 0
# HELP asynq_x_orphaned_tasks Active tasks whose worker let its lease run out.
# TYPE asynq_x_orphaned_tasks gauge
asynq_x_orphaned_tasks{queue="mail"} 0
asynq_x_orphaned_tasks{queue="od\"d\\ name"} 0
# HELP asynq_x_queue_consumers Living servers that take tasks from a queue.
# TYPE asynq_x_queue_consumers gauge
asynq_x_queue_consumers{queue="mail"} 0
asynq_x_queue_consumers{queue="od\"d\\ name"} 0
# HELP asynq_x_queue_groups Groups of a queue that hold tasks.
# TYPE asynq_x_queue_groups gauge
asynq_x_queue_groups{queue="mail"} 1
asynq_x_queue_groups{queue="od\"d\\ name"} 0
# HELP asynq_x_scheduler_entries Entries of schedules whose scheduler lives.
# TYPE asynq_x_scheduler_entries gauge
asynq_x_scheduler_entries 0
# HELP asynq_x_scrape_duration_seconds How long the last look at the store took.
# TYPE asynq_x_scrape_duration_seconds gauge
asynq_x_scrape_duration_seconds *
# HELP asynq_x_scrape_errors_total Looks at the store that failed since this exporter started.
# TYPE asynq_x_scrape_errors_total counter
asynq_x_scrape_errors_total 0
# HELP asynq_x_servers Living servers, by what they say of themselves.
# TYPE asynq_x_servers gauge
asynq_x_servers{status="active"} 0
# HELP asynq_x_up 1 if the store answered, otherwise 0.
# TYPE asynq_x_up gauge
asynq_x_up 1
# HELP asynq_x_workers_busy Tasks that servers run now.
# TYPE asynq_x_workers_busy gauge
asynq_x_workers_busy{status="active"} 0
# HELP asynq_x_workers_max Tasks that servers can run at one time.
# TYPE asynq_x_workers_max gauge
asynq_x_workers_max{status="active"} 0
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrape_of_a_seeded_redis_is_this_text() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    seed(&client).await;
    let text = Exporter::new(&client).text().await;
    let lines: Vec<&str> = text.lines().collect();
    let expected: Vec<&str> = EXPECTED.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{text}");
    for (line, expected) in lines.iter().zip(expected) {
        match expected.strip_suffix('*') {
            Some(name) => {
                let value: f64 = line.strip_prefix(name).unwrap_or_else(|| panic!("{line}")).parse().unwrap();
                assert!(value > 0.0, "{line}");
            }
            None => assert_eq!(*line, expected),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_and_schedules_are_counted_while_they_live() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let queues = [("mail", 2), ("low", 1)];
    let server =
        Server::builder(&client).router(router()).queues(queues).concurrency(7).start().await.unwrap();
    for queue in ["mail", "idle"] {
        client.enqueue(crate::support::task(queue, queue, TaskOptions::new())).await.unwrap();
    }
    // Two schedulers that tell of one entry, as those of several workers do.
    let entry = |millis: i64| SchedulerEntry {
        id: "nightly".to_owned(),
        spec: "@daily".to_owned(),
        task_type: "report".to_owned(),
        prev_enqueue_time: Some(Timestamp::from_millisecond(millis).unwrap().into()),
        ..SchedulerEntry::default()
    };
    for (scheduler, millis) in [("one", 1_700_000_000_250), ("two", 1_600_000_000_000)] {
        let entries = [entry(millis)];
        client.broker().write_scheduler_entries(scheduler, &entries, Duration::from_secs(60)).await.unwrap();
    }
    let scrape = eventually("the server has told of itself", async || {
        let scrape = samples(&Exporter::new(&client).entries(true).text().await);
        (scrape["asynq_x_servers{status=\"active\"}"] == "1").then_some(scrape)
    })
    .await;
    assert_eq!(scrape["asynq_x_workers_max{status=\"active\"}"], "7");
    assert_eq!(scrape["asynq_x_queue_consumers{queue=\"mail\"}"], "1");
    assert_eq!(scrape["asynq_x_queue_consumers{queue=\"idle\"}"], "0");
    assert_eq!(scrape["asynq_x_scheduler_entries"], "1");
    let fired = "asynq_x_scheduler_last_enqueue_timestamp_seconds{entry=\"nightly\"}";
    assert_eq!(scrape[fired], "1.70000000025e+09");
    // IDs of entries are told only where that is asked for.
    let plain = samples(&Exporter::new(&client).text().await);
    assert!(!plain.contains_key(fired), "{plain:?}");
    server.shutdown().await;
}
