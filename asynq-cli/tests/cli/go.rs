//! Beside Go: what both tell of the same Redis.

use asynq_core::inspector::Page;
use asynq_core::scheduler::PeriodicTask;
use asynq_core::task::Task;
use asynq_testkit::{GoPeer, eventually};
use serde_json::{Value, json};

use super::world::lively;
use super::{done, seeded};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_and_we_tell_the_same_of_queues_and_tasks() {
    let (redis, _client) = seeded().await;
    let go = GoPeer::new(&redis.url());
    for queue in ["mail", "low"] {
        let theirs = go.inspect(&["queue", queue]).await;
        let ours = done(&redis, &["queue", "inspect", queue, "-o", "json"]).json();
        let ours = &ours[0];
        for name in [
            "size",
            "groups",
            "active",
            "pending",
            "aggregating",
            "scheduled",
            "retry",
            "archived",
            "completed",
            "paused",
        ] {
            assert_eq!(ours[name], field(&theirs, name), "{name} of {queue}: {theirs}");
        }
    }
    let theirs = go.inspect(&["task", "mail", "p1"]).await;
    let ours = done(&redis, &["task", "inspect", "-q", "mail", "-i", "p1", "-o", "json"]).json();
    for (our_name, name) in [
        ("id", "id"),
        ("queue", "queue"),
        ("type", "type"),
        ("state", "state"),
        ("max_retry", "max_retry"),
        ("retried", "retried"),
        ("timeout_ms", "timeout_ms"),
        ("headers", "headers"),
    ] {
        assert_eq!(ours[our_name], field(&theirs, name), "{name}: {theirs}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_and_we_tell_the_same_of_all_else() {
    let world = lively().await;
    let go = GoPeer::new(&world.redis.url());
    let ours = |words: &[&str]| done(&world.redis, &[words, &["-o", "json"]].concat()).json();

    // stats: Go's tool adds up its inspector's answers.
    let stats = ours(&["stats", "--json"]);
    let names = go.inspect(&["queues"]).await["queues"].as_array().unwrap().clone();
    assert_eq!(names.len(), stats["queues"].as_array().unwrap().len());
    for (name, queue) in names.iter().zip(stats["queues"].as_array().unwrap()) {
        let theirs = go.inspect(&["queue", name.as_str().unwrap()]).await;
        for (our_name, name) in [
            ("Queue", "queue"),
            ("Paused", "paused"),
            ("Size", "size"),
            ("Groups", "groups"),
            ("Pending", "pending"),
            ("Active", "active"),
            ("Scheduled", "scheduled"),
            ("Retry", "retry"),
            ("Archived", "archived"),
            ("Completed", "completed"),
            ("Aggregating", "aggregating"),
            ("Processed", "processed"),
            ("Failed", "failed"),
            ("ProcessedTotal", "processed_total"),
            ("FailedTotal", "failed_total"),
        ] {
            assert_eq!(queue[our_name], theirs[name], "{our_name} of {theirs}");
        }
    }

    // queue history
    let theirs = go.inspect(&["history", "work", "3"]).await;
    let history = ours(&["queue", "history", "work", "--days", "3"]);
    for (ours, theirs) in rows(&history, &theirs["days"]) {
        same(ours, theirs, &["queue", "date", "processed", "failed"].map(|name| (name, name)));
    }

    // task list, every state
    for (queue, state) in [
        ("mail", "pending"),
        ("work", "active"),
        ("low", "scheduled"),
        ("work", "retry"),
        ("mail", "archived"),
        ("work", "completed"),
        ("low", "aggregating"),
    ] {
        let group = if state == "aggregating" { &["--group", "users"][..] } else { &[] };
        let theirs = go.inspect(&[&["list", queue, state], group].concat()).await;
        let listed = ours(&[&["task", "list", "-q", queue, "-s", state], group].concat());
        for (ours, theirs) in rows(&listed, &theirs["tasks"]) {
            let same_names = ["id", "queue", "type", "state", "headers", "max_retry", "retried"];
            same(ours, theirs, &same_names.map(|name| (name, name)));
            assert_eq!(ours["last_error"].as_str().unwrap_or_default(), theirs["last_err"], "{theirs}");
            assert_eq!(ours["group"].as_str().unwrap_or_default(), theirs["group"], "{theirs}");
            assert_eq!(ours["orphaned"], theirs["is_orphaned"], "{theirs}");
            for name in ["timeout_ms", "retention_ms"] {
                assert_eq!(ours[name].as_u64().unwrap_or(0), theirs[name], "{name}: {theirs}");
            }
            for name in ["last_failed_at", "completed_at", "deadline"] {
                let at = ours[name].as_str().map(|at| at.parse::<jiff::Timestamp>().unwrap().as_second());
                assert_eq!(at, theirs[format!("{name}_unix")].as_i64(), "{name}: {theirs}");
            }
        }
    }

    // group list
    let theirs = go.inspect(&["groups", "low"]).await;
    for (ours, theirs) in rows(&ours(&["group", "list", "-q", "low"]), &theirs["groups"]) {
        same(ours, theirs, &[("group", "group"), ("size", "size")]);
    }

    // server list, and what they run
    let theirs = go.inspect(&["servers"]).await;
    let listed = ours(&["server", "list"]);
    for (server, theirs) in rows(&listed, &theirs["servers"]) {
        let names = ["id", "host", "pid", "concurrency", "queues", "strict_priority"];
        same(server, theirs, &names.map(|name| (name, name)));
        assert_eq!((&server["state"], &server["active_workers"]), (&theirs["status"], &1.into()));
        let running = ours(&["server", "inspect", server["id"].as_str().unwrap()])[0]["running"].clone();
        for (task, theirs) in rows(&running, &theirs["active_workers"]) {
            same(task, theirs, &[("task_id", "task_id"), ("type", "task_type"), ("queue", "queue")]);
        }
    }

    // cron list
    let mut theirs = go.inspect(&["schedulers"]).await["entries"].as_array().unwrap().clone();
    theirs.sort_by_key(|entry| entry["spec"].as_str().map(str::to_owned));
    for (entry, theirs) in rows(&ours(&["cron", "list"]), &theirs.into()) {
        same(entry, theirs, &[("id", "id"), ("spec", "spec"), ("type", "type"), ("options", "opts")]);
        let next = entry["next_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(theirs["next_unix"], next.as_second());
    }
}

/// The schedules that ran, as Go's scheduler tells it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_and_we_tell_the_same_of_what_schedules_enqueued() {
    let world = lively().await;
    let go = GoPeer::new(&world.redis.url());
    let task = PeriodicTask::new("@every 1s", Task::new("tick", "").unwrap());
    let entry = world.scheduler.register(task.options(|options| options.queue("ticks"))).unwrap();
    eventually("an event", async || {
        let events = world.inspector.enqueue_events(entry.as_str(), Page::first()).await.unwrap();
        (!events.is_empty()).then_some(())
    })
    .await;
    world.scheduler.unregister(&entry).unwrap();
    eventually("both tell the same", async || {
        let theirs = go.inspect(&["events", entry.as_str()]).await["events"].as_array().unwrap().clone();
        let ours = done(&world.redis, &["cron", "history", entry.as_str(), "-o", "json"]).json();
        let ours = ours.as_array().unwrap();
        let is_same = ours.len() == theirs.len()
            && ours.iter().zip(&theirs).all(|(ours, theirs)| ours["task_id"] == theirs["task_id"]);
        is_same.then_some(())
    })
    .await;
}

/// What both list, one beside the other; and there is something.
fn rows<'a>(ours: &'a Value, theirs: &'a Value) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    let (ours, theirs) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
    assert!(!ours.is_empty() && ours.len() == theirs.len(), "{ours:?} {theirs:?}");
    ours.iter().zip(theirs)
}

/// These fields are equal; nothing and an empty list of names are the same.
fn same(ours: &Value, theirs: &Value, names: &[(&str, &str)]) {
    let full = |value: &Value| Some(value.clone()).filter(|value| *value != json!({}) && !value.is_null());
    for (our_name, their_name) in names {
        assert_eq!(full(&ours[our_name]), full(&theirs[their_name]), "{our_name}: {ours} {theirs}");
    }
}

/// A field of Go's answer, wherever in it.
fn field(answer: &Value, name: &str) -> Value {
    match answer {
        Value::Object(map) => match map.get(name) {
            Some(value) => value.clone(),
            None => map
                .values()
                .map(|value| field(value, name))
                .find(|value| !value.is_null())
                .unwrap_or_default(),
        },
        _ => Value::Null,
    }
}
