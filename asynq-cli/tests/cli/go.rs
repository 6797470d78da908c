//! Beside Go: what both tell of the same Redis.

use asynq_testkit::GoPeer;
use serde_json::Value;

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
