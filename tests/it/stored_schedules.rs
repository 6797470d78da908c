//! Schedules in the store, on real Redis, and what Go makes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use asynq::inspector::Inspector;
use asynq::{Client, PeriodicTask, Scheduler, StoredSchedules, Task, TaskOptions};
use asynq_testkit::{GoPeer, RedisServer, eventually};
use serde_json::{Value, json};

use crate::support::{redis, telling, worker};

fn ticking(name: &str, payload: &'static str) -> PeriodicTask {
    PeriodicTask::new("@every 1s", Task::new("tick", payload).unwrap()).name(name)
}

/// A scheduler on a connection of its own, as if in another process.
async fn another(redis: &RedisServer) -> Scheduler {
    let client = Client::connect(&redis.url()).await.unwrap();
    let builder = Scheduler::builder(&client).heartbeat(Duration::from_secs(1));
    let scheduler = builder.stored_schedules(true).build().unwrap();
    scheduler.start().unwrap();
    scheduler
}

/// The ticks whose tasks wait in a queue, with their payloads, in the order they were enqueued.
async fn ticks(client: &Client, queue: &str) -> Vec<(i64, String)> {
    use asynq::inspector::{Collection, Page};
    let page = Page::new(1, 1_000).unwrap();
    let Ok(listed) = Inspector::new(client).list(queue, Collection::Pending, page).await else {
        return Vec::new();
    };
    let tick = |task: asynq::TaskInfo| {
        let at: jiff::Timestamp = task.headers["asynq-tick"].parse().unwrap();
        (at.as_second(), String::from_utf8(task.payload.to_vec()).unwrap())
    };
    listed.tasks.into_iter().map(tick).collect()
}

/// Waits until there are this many ticks.
async fn at_least(client: &Client, count: usize) -> Vec<(i64, String)> {
    eventually(&format!("{count} ticks"), async || {
        let ticks = ticks(client, "default").await;
        (ticks.len() >= count).then_some(ticks)
    })
    .await
}

fn assert_each_once(ticks: &[(i64, String)]) {
    let distinct: BTreeSet<i64> = ticks.iter().map(|(at, _)| *at).collect();
    assert_eq!(distinct.len(), ticks.len(), "twice: {ticks:?}");
    let (first, last) = (distinct.first().unwrap(), distinct.last().unwrap());
    assert_eq!(distinct.len(), usize::try_from(last - first + 1).unwrap(), "a gap: {ticks:?}");
}

#[tokio::test]
async fn two_schedulers_take_up_every_change_and_enqueue_each_tick_once() {
    let (redis, client) = redis().await;
    let schedulers = [another(&redis).await, another(&redis).await];
    let schedules = StoredSchedules::new(&client);
    let mut schedule = schedules.create(ticking("a", "0")).await.unwrap();
    at_least(&client, 2).await;
    for n in 1..4 {
        schedule.set_payload(n.to_string());
        schedule = schedules.save(schedule).await.unwrap();
        let payload = n.to_string();
        eventually("the change is taken up", async || {
            let ticks = ticks(&client, "default").await;
            ticks.iter().any(|(_, seen)| *seen == payload).then_some(())
        })
        .await;
    }
    let count = ticks(&client, "default").await.len();
    assert_each_once(&at_least(&client, count + 2).await);

    assert!(schedules.pause("a").await.unwrap());
    // Both have taken it up when neither tells of it any more.
    let inspector = Inspector::new(&client);
    eventually("it rests", async || inspector.scheduler_entries().await.unwrap().is_empty().then_some(()))
        .await;
    let resting = ticks(&client, "default").await;
    assert!(schedules.resume("a").await.unwrap());
    let resumed_at = schedules.get("a").await.unwrap().changed_at().as_second();
    let after = at_least(&client, resting.len() + 2).await;
    assert!(after[..resting.len()] == resting[..] || after.ends_with(&resting), "{after:?}");
    let made_up = after.iter().filter(|(at, _)| !resting.iter().any(|(seen, _)| seen == at));
    assert!(made_up.clone().all(|(at, _)| *at > resumed_at), "no tick of the pause: {after:?}");
    for scheduler in schedulers {
        scheduler.shutdown().await;
    }
}

#[tokio::test]
async fn a_server_runs_what_is_stored_when_it_is_told_to() {
    let (_redis, client) = redis().await;
    let (router, mut told) = telling(&["tick"]);
    let server = worker(&client, router, &["default"]).stored_schedules(true).start().await.unwrap();
    StoredSchedules::new(&client).create(ticking("a", "{}")).await.unwrap();
    let ctx = told.recv().await.unwrap();
    assert_eq!((ctx.task_type(), &ctx.payload()[..]), ("tick", &b"{}"[..]));
    assert!(ctx.scheduled_for().is_some());
    server.shutdown().await;
}

/// Go's scheduler, inspector and worker do with a store that has schedules what they do without.
#[tokio::test]
async fn go_is_not_disturbed_and_lists_what_runs() {
    let (redis, client) = redis().await;
    let schedules = StoredSchedules::new(&client);
    let options = |options: TaskOptions| options.queue("low").max_retry(3);
    let created = schedules.create(ticking("ours", "{}").options(options)).await.unwrap();
    schedules.create(ticking("resting", "{}")).await.unwrap();
    schedules.pause("resting").await.unwrap();
    let go = GoPeer::new(&redis.url());
    assert_eq!(go.inspect(&["queues"]).await["queues"], json!([]), "a schedule is no queue");
    assert_eq!(go.inspect(&["schedulers"]).await["entries"], json!([]));

    let args = ["--cron", "@every 1s", "--type", "go", "--payload", "{}"];
    let scheduling = go.schedule(&args).await;
    let scheduler = another(&redis).await;
    let entries = eventually("Go lists its own entry and ours", async || {
        let entries = go.inspect(&["schedulers"]).await["entries"].as_array().cloned().unwrap();
        (entries.len() == 2 && entries.iter().any(|entry| entry["type"] == "tick")).then_some(entries)
    })
    .await;
    let ours = entries.iter().find(|entry| entry["type"] == "tick").unwrap();
    assert_eq!(ours["id"], created.entry_id().as_str());
    assert_eq!((&ours["spec"], &ours["payload_text"]), (&json!("@every 1s"), &json!("{}")));
    assert_eq!(ours["opts"], json!(["Queue(\"low\")", "MaxRetry(3)"]));
    eventually("Go sees what it enqueued", async || {
        let events = go.inspect(&["events", created.entry_id().as_str()]).await["events"].clone();
        events.as_array().is_some_and(|events| !events.is_empty()).then_some(())
    })
    .await;
    eventually("Go's scheduler goes on", async || {
        let listed = go.inspect(&["list", "default", "pending"]).await["tasks"].clone();
        let of_go = |tasks: &Vec<Value>| tasks.iter().filter(|task| task["type"] == "go").count();
        listed.as_array().is_some_and(|tasks| of_go(tasks) >= 2).then_some(())
    })
    .await;
    schedules.delete("ours").await.unwrap();
    eventually("ours is gone", async || {
        let entries = go.inspect(&["schedulers"]).await["entries"].as_array().cloned().unwrap();
        (!entries.iter().any(|entry| entry["type"] == "tick")).then_some(())
    })
    .await;
    scheduler.shutdown().await;
    drop(scheduling);
}
