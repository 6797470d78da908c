//! Being told by Redis of what is scheduled, by whatever program.

use std::time::Duration;

use asynq::broker::LaterChanges;
use asynq::{Client, QueueName, Task, TaskOptions};
use asynq_testkit::{GoPeer, RedisServer};
use serde_json::json;

use crate::support::redis;

fn queues(names: &[&str]) -> Vec<QueueName> {
    names.iter().map(|name| QueueName::new(name).unwrap()).collect()
}

async fn changes(client: &Client, names: &[&str]) -> Box<dyn LaterChanges> {
    client.broker().later_changes(&queues(names)).await.unwrap().expect("this Redis tells")
}

async fn schedule(client: &Client, queue: &str, id: &str, at: i64) {
    let options =
        TaskOptions::new().queue(queue).task_id(id).process_at(jiff::Timestamp::from_second(at).unwrap());
    client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
}

#[tokio::test]
async fn what_is_scheduled_is_told_and_when_the_first_is_due() {
    let (redis, client) = redis().await;
    schedule(&client, "mail", "there", 3_000_000_000).await;
    let mut changes = changes(&client, &["mail", "work"]).await;
    assert_eq!(changes.next().await, Some(3_000_000_000), "what is there already");
    schedule(&client, "work", "first", 4_000_000_000).await;
    assert_eq!(changes.next().await, Some(4_000_000_000), "of the queue that has changed");
    schedule(&client, "work", "second", 5_000_000_000).await;
    assert_eq!(changes.next().await, Some(4_000_000_000), "the first of them");
    redis.command::<()>(&["ZADD", "asynq:{mail}:retry", "2500000000", "again"]).await;
    assert_eq!(changes.next().await, Some(2_500_000_000), "what is tried again");
    // A queue of another server is none of ours.
    schedule(&client, "other", "elsewhere", 2_000_000_001).await;
    let options = json!({"queue": "mail", "task_id": "go", "process_at_unix": 2_000_000_000});
    let answer = GoPeer::new(&redis.url()).enqueue(json!({"type": "t", "opts": options})).await;
    assert_eq!(answer["id"], "go", "{answer}");
    assert_eq!(changes.next().await, Some(2_000_000_000), "what Go has scheduled");
}

#[tokio::test]
async fn much_that_is_scheduled_at_once_is_told_at_once() {
    let (redis, client) = redis().await;
    let mut changes = changes(&client, &["mail"]).await;
    let scheduled = (0..1_000).map(|n| {
        let options = TaskOptions::new().queue("mail").process_in(Duration::from_secs(60 + n));
        Task::new("t", "").unwrap().options(options)
    });
    assert!(client.enqueue_all(scheduled).await.iter().all(Result::is_ok));
    let due = changes.next().await.unwrap();
    let reads: String = redis.command(&["INFO", "commandstats"]).await;
    let reads = reads.lines().find(|line| line.starts_with("cmdstat_zrange:")).unwrap_or_default();
    assert!(due > 0 && !reads.contains("calls=1000"), "{reads}");
}

#[tokio::test]
async fn a_lost_connection_is_told() {
    let (redis, client) = redis().await;
    let mut changes = changes(&client, &["mail"]).await;
    let lost = async {
        let listed = redis.until(&["CLIENT", "LIST"], |list: &String| list.contains(" flags=t ")).await;
        let id = listed.lines().find(|line| line.contains(" flags=t ")).unwrap();
        let id = id.split(' ').find_map(|word| word.strip_prefix("id=")).unwrap();
        redis.command::<()>(&["CLIENT", "KILL", "ID", id]).await;
    };
    assert_eq!(tokio::join!(changes.next(), lost).0, None);
}

#[tokio::test]
async fn where_redis_cannot_tell_or_may_not_there_is_nothing_to_listen_to() {
    let old = RedisServer::start_as_of("4.0").await;
    let client = Client::connect(&old.url()).await.unwrap();
    assert!(client.broker().later_changes(&queues(&["mail"])).await.unwrap().is_none());

    let redis = RedisServer::start().await;
    redis
        .command::<()>(&["ACL", "SETUSER", "u", "on", ">secret", "~*", "&*", "+@all", "-client|tracking"])
        .await;
    let client = Client::connect(&format!("redis://u:secret@127.0.0.1:{}", redis.port())).await.unwrap();
    assert!(client.broker().later_changes(&queues(&["mail"])).await.unwrap().is_none());
    assert!(Client::in_memory().broker().later_changes(&queues(&["mail"])).await.unwrap().is_none());
}
