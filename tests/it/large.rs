//! Very many archived tasks: whatever is asked of the store, no call holds it for long.

use std::time::Instant;

use asynq::broker::Transition;
use asynq::inspector::{Class, Collection, Page, Selection};
use asynq::{Client, Inspector, Task, TaskOptions};
use asynq_testkit::RedisServer;

use crate::support::{lease, redis, settle};

/// What a call may take, in microseconds.
const LIMIT: &str = "20000";

/// Commands that took longer than the limit since the last call, as Redis tells them.
async fn slow(redis: &RedisServer, what: &str, began: Instant) -> Vec<String> {
    let entries: Vec<(i64, i64, i64, Vec<String>)> = redis
        .command::<Vec<(i64, i64, i64, Vec<String>, String, String)>>(&["SLOWLOG", "GET", "128"])
        .await
        .into_iter()
        .map(|(id, at, micros, words, _, _)| (id, at, micros, words))
        .collect();
    redis.command::<()>(&["SLOWLOG", "RESET"]).await;
    let statistics: String = redis.command(&["INFO", "commandstats"]).await;
    let scripts = statistics.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap_or_default();
    redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;
    let slow: Vec<String> = entries
        .into_iter()
        .map(|(_, _, micros, words)| {
            format!("{micros} µs: {}", words.join(" ").chars().take(120).collect::<String>())
        })
        .collect();
    println!("{what}: {:?}; {scripts}; slower than {LIMIT} µs: {slow:#?}", began.elapsed());
    slow.into_iter().map(|line| format!("{what}: {line}")).collect()
}

/// Archives one more task by a worker's settlement, which trims the archive.
async fn archive_one(client: &Client, id: &str) {
    let options = TaskOptions::new().queue("q").task_id(id);
    client.enqueue(Task::without_payload("t").unwrap().options(options)).await.unwrap();
    let leased = lease(client, "q").await;
    let message = leased.message.clone().ok();
    settle(client, leased, Transition::Archive { message, unique_key: String::new() }).await;
}

async fn large_archive(count: usize) -> Vec<String> {
    let (redis, client) = redis().await;
    let inspector = Inspector::new(&client);
    let now = client.broker().clock().unix_seconds();
    let fill = async || {
        redis.fill_archive("q", count, now).await;
        redis.command::<()>(&["SLOWLOG", "RESET"]).await;
    };
    redis.command::<()>(&["CONFIG", "SET", "slowlog-log-slower-than", LIMIT]).await;
    let mut all = Vec::new();
    let archived = async || inspector.queue_info("q").await.unwrap().archived;

    let began = Instant::now();
    fill().await;
    println!("{count} archived tasks: filled in {:?}", began.elapsed());

    let began = Instant::now();
    assert_eq!(archived().await, count);
    all.extend(slow(&redis, "queue info", began).await);

    let began = Instant::now();
    let last = Page::new(count / 100, 100).unwrap();
    assert_eq!(inspector.list("q", Collection::Archived, last).await.unwrap().tasks.len(), 100);
    let mut tasks = inspector.tasks("q", Collection::Archived).await.unwrap();
    let mut seen = 0;
    while let Some(task) = tasks.next().await {
        task.unwrap();
        seen += 1;
    }
    assert_eq!(seen, count);
    all.extend(slow(&redis, "last page, and all as a stream", began).await);

    let began = Instant::now();
    archive_one(&client, "by-a-worker").await;
    let left = archived().await;
    assert!((count - 999..=count).contains(&left), "a bounded number is trimmed: {left}");
    let options = TaskOptions::new().queue("q").task_id("by-us");
    client.enqueue(Task::without_payload("t").unwrap().options(options)).await.unwrap();
    inspector.archive("q", "by-us").await.unwrap();
    assert!((left - 999..=left).contains(&archived().await), "and again");
    all.extend(slow(&redis, "archive one more, twice", began).await);

    let began = Instant::now();
    let left = archived().await;
    assert_eq!(inspector.run_all("q", Collection::Archived).await.unwrap().changed, left);
    all.extend(slow(&redis, "run all", began).await);

    let began = Instant::now();
    let mut tasks = inspector.tasks("q", Collection::Pending).await.unwrap();
    let mut seen = 0;
    while let Some(task) = tasks.next().await {
        task.unwrap();
        seen += 1;
    }
    assert_eq!(seen, left);
    all.extend(slow(&redis, "all pending as a stream", began).await);

    let began = Instant::now();
    // For one that is lost the whole list is searched.
    redis.command::<()>(&["HSET", "asynq:{q}:t:lost", "msg", "", "state", "pending"]).await;
    let diagnosis = inspector.examine().await.unwrap();
    let classes: Vec<Class> = diagnosis.findings.iter().map(|finding| finding.class).collect();
    assert_eq!((classes.as_slice(), diagnosis.tasks), (&[Class::Lost, Class::Unserved][..], left));
    assert_eq!(inspector.repair(Class::Lost).await.unwrap().mended, 1);
    inspector.delete("q", "lost").await.unwrap();
    all.extend(slow(&redis, "the doctor, and a repair", began).await);

    let began = Instant::now();
    let mut export = inspector.export(Selection::new()).await.unwrap();
    while let Some(line) = export.next().await {
        line.unwrap();
    }
    assert_eq!(export.tasks(), left);
    all.extend(slow(&redis, "export all", began).await);

    let began = Instant::now();
    assert_eq!(inspector.archive_all("q", Collection::Pending).await.unwrap().changed, left);
    assert_eq!(archived().await, 9_999, "what is beyond the limit goes on the way");
    all.extend(slow(&redis, "archive all", began).await);

    fill().await;
    let began = Instant::now();
    let left = archived().await;
    assert_eq!(inspector.delete_all("q", Collection::Archived).await.unwrap().changed, left);
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "asynq:{q}:t:*"]).await, Vec::<String>::new());
    all.extend(slow(&redis, "delete all", began).await);

    fill().await;
    let began = Instant::now();
    inspector.force_delete_queue("q").await.unwrap();
    all.extend(slow(&redis, "delete the queue", began).await);
    assert_eq!(redis.command::<i64>(&["DBSIZE"]).await, 0);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_archived_tasks() {
    // How long a call takes depends on the machine; what it does at most, the assertions tell.
    large_archive(20_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes and a gigabyte; on a machine of its own: cargo test --release --test it -- --ignored a_million"]
async fn a_million_archived_tasks_and_no_call_over_20_ms() {
    let slow = large_archive(1_000_000).await;
    assert!(slow.is_empty(), "{slow:#?}");
}
