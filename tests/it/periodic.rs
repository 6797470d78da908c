//! Schedulers on real Redis, and beside Go's.

use std::collections::BTreeSet;
use std::time::Duration;

use asynq::{Client, PeriodicTask, Scheduler, Task};
use asynq_testkit::{Child, GoPeer, RedisServer, eventually};
use serde_json::{Value, json};

use crate::support::{redis, telling, worker};

fn tick(spec: &str) -> PeriodicTask {
    PeriodicTask::new(spec, Task::new("tick", "{}").unwrap())
}

/// A scheduler on a connection of its own, as if in another process, with an entry that is due each second.
async fn another(redis: &RedisServer) -> Scheduler {
    let client = Client::connect(&redis.url()).await.unwrap();
    let scheduler = Scheduler::builder(&client).heartbeat(Duration::from_secs(1)).build().unwrap();
    scheduler.register(tick("@every 1s")).unwrap();
    scheduler.start().unwrap();
    scheduler
}

/// The ticks whose tasks wait in the queue, in the order they were enqueued.
async fn ticks(redis: &RedisServer) -> Vec<i64> {
    let go = GoPeer::new(&redis.url());
    let listed = go.inspect(&["list", "default", "pending", "--size", "1000"]).await;
    // An unknown queue is one without tasks.
    let tasks = listed["tasks"].as_array().cloned().unwrap_or_default();
    let at = |task: Value| -> i64 {
        let tick = task["headers"]["asynq-tick"].as_str().unwrap();
        tick.parse::<jiff::Timestamp>().unwrap().as_second()
    };
    tasks.into_iter().map(at).collect()
}

/// Waits until there are this many ticks.
async fn at_least(redis: &RedisServer, count: usize) -> Vec<i64> {
    eventually(&format!("{count} ticks"), async || {
        let ticks = ticks(redis).await;
        (ticks.len() >= count).then_some(ticks)
    })
    .await
}

fn assert_each_once(ticks: &[i64]) {
    let distinct: BTreeSet<i64> = ticks.iter().copied().collect();
    assert_eq!(distinct.len(), ticks.len(), "twice: {ticks:?}");
    let (first, last) = (distinct.first().unwrap(), distinct.last().unwrap());
    assert_eq!(distinct.len(), usize::try_from(last - first + 1).unwrap(), "a gap: {ticks:?}");
}

#[tokio::test]
async fn schedulers_that_come_and_go_enqueue_each_tick_once() {
    let redis = RedisServer::start().await;
    let first = another(&redis).await;
    let second = another(&redis).await;
    let third = another(&redis).await;
    at_least(&redis, 2).await;
    // One crashes, one shuts down, and the last is replaced.
    drop(first);
    second.shutdown().await;
    let count = ticks(&redis).await.len();
    at_least(&redis, count + 2).await;
    drop(third);
    let fourth = another(&redis).await;
    let count = ticks(&redis).await.len();
    assert_each_once(&at_least(&redis, count + 2).await);
    fourth.shutdown().await;
}

const BE_SCHEDULER: &str = "ASYNQ_TEST_SCHEDULER_URL";

/// Not a test: what a scheduler process runs, until it is killed.
#[tokio::test]
async fn be_a_scheduler_process() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells this process apart")]
    let Ok(url) = std::env::var(BE_SCHEDULER) else { return };
    let client = Client::connect(&url).await.unwrap();
    let scheduler = Scheduler::builder(&client).build().unwrap();
    scheduler.register(tick("@every 1s")).unwrap();
    scheduler.start().unwrap();
    std::future::pending::<()>().await;
}

fn spawn_scheduler(redis: &RedisServer) -> Child {
    Child::this_test("periodic::be_a_scheduler_process", BE_SCHEDULER, redis.url())
}

/// Of two, either goes on alone without a gap. When both are gone, one that comes within ten seconds misses nothing.
#[tokio::test]
async fn scheduler_processes_that_are_killed_leave_no_gap_and_nothing_twice() {
    let redis = RedisServer::start().await;
    let (first, second) = (spawn_scheduler(&redis), spawn_scheduler(&redis));
    at_least(&redis, 2).await;
    first.signal("KILL");
    first.kill().await;
    let count = ticks(&redis).await.len();
    at_least(&redis, count + 3).await;
    second.signal("KILL");
    second.kill().await;
    let third = spawn_scheduler(&redis);
    let count = ticks(&redis).await.len();
    let all = at_least(&redis, count + 3).await;
    println!("{} ticks by three scheduler processes, two of them killed", all.len());
    assert_each_once(&all);
    third.kill().await;
}

#[tokio::test]
async fn a_redis_that_stands_still_delays_ticks_and_loses_none() {
    let redis = RedisServer::start().await;
    let schedulers = [another(&redis).await, another(&redis).await];
    at_least(&redis, 1).await;
    redis.freeze();
    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.thaw();
    let count = ticks(&redis).await.len();
    assert_each_once(&at_least(&redis, count + 4).await);
    for scheduler in schedulers {
        scheduler.shutdown().await;
    }
}

#[tokio::test]
async fn a_redis_that_is_restarted_is_scheduled_on_again() {
    let mut redis = RedisServer::start_durable().await;
    let scheduler = another(&redis).await;
    at_least(&redis, 2).await;
    redis.restart().await;
    let count = ticks(&redis).await.len();
    assert_each_once(&at_least(&redis, count + 3).await);
    scheduler.shutdown().await;
}

#[tokio::test]
async fn go_lists_our_entries_and_their_history() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let scheduler = Scheduler::builder(&client).heartbeat(Duration::from_secs(1)).build().unwrap();
    let options =
        |options: asynq::TaskOptions| options.queue("low").max_retry(3).retention(Duration::from_secs(60));
    let second = scheduler.register(tick("@every 1s").options(options)).unwrap();
    scheduler.register(tick("TZ=Asia/Tokyo 30 4 * * *")).unwrap();
    scheduler.start().unwrap();
    let entries = eventually("Go sees a tick of our entry", async || {
        let entries = go.inspect(&["schedulers"]).await["entries"].as_array().cloned().unwrap();
        entries.iter().any(|entry| entry["prev_unix"].is_i64()).then_some(entries)
    })
    .await;
    assert_eq!(entries.len(), 2);
    let shown = entries.iter().find(|entry| entry["id"] == second.as_str()).unwrap();
    assert_eq!(shown["spec"], "@every 1s");
    assert_eq!(shown["type"], "tick");
    assert_eq!(shown["payload_text"], "{}");
    assert_eq!(shown["opts"], json!(["Queue(\"low\")", "MaxRetry(3)", "Retention(1m0s)"]));
    assert_eq!(shown["next_unix"].as_i64().unwrap(), shown["prev_unix"].as_i64().unwrap() + 1);
    let daily = entries.iter().find(|entry| entry["id"] != second.as_str()).unwrap();
    assert_eq!(daily["prev_unix"], Value::Null);

    let events = go.inspect(&["events", second.as_str()]).await["events"].as_array().cloned().unwrap();
    let newest = events[0]["task_id"].as_str().unwrap();
    let task = go.inspect(&["task", "low", newest]).await;
    assert_eq!((&task["type"], &task["state"]), (&json!("tick"), &json!("pending")));

    scheduler.unregister(&second).unwrap();
    scheduler.shutdown().await;
    assert_eq!(go.inspect(&["schedulers"]).await["entries"], json!([]));
    assert_eq!(go.inspect(&["events", second.as_str()]).await["events"], json!([]));
}

#[tokio::test]
async fn a_go_worker_is_told_the_time_of_the_tick() {
    let redis = RedisServer::start().await;
    let go = GoPeer::new(&redis.url()).serve(&["--queues", "default=1"]).await;
    let scheduler = another(&redis).await;
    let start = go.event("a tick is handled", |event| event["event"] == "start").await;
    assert_eq!(start["type"], "tick");
    let due: jiff::Timestamp = start["headers"]["asynq-tick"].as_str().unwrap().parse().unwrap();
    assert!(start["time_ns"].as_i64().unwrap() >= due.as_second() * 1_000_000_000);
    scheduler.shutdown().await;
}

#[tokio::test]
async fn our_worker_handles_what_gos_scheduler_enqueues() {
    let (redis, client) = redis().await;
    let (router, mut told) = telling(&["tick"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let args = ["--cron", "@every 1s", "--type", "tick", "--payload", "{}"];
    let go = GoPeer::new(&redis.url()).schedule(&args).await;
    let ctx = told.recv().await.unwrap();
    assert_eq!((ctx.task_type(), &ctx.payload()[..]), ("tick", &b"{}"[..]));
    assert_eq!(ctx.scheduled_for(), None);
    server.shutdown().await;
    drop(go);
}

#[tokio::test]
async fn b32_a_shutdown_leaves_the_client_as_it_was() {
    let (redis, client) = redis().await;
    let scheduler = Scheduler::builder(&client).build().unwrap();
    scheduler.start().unwrap();
    scheduler.shutdown().await;
    client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
    let keys: Vec<String> = redis.command(&["KEYS", "asynq:sched*"]).await;
    assert_eq!(keys, Vec::<String>::new());
}
