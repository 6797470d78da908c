//! The inspector beside Go's: both tell the same of one Redis, and each sees what the other has changed.

use std::time::Duration;

use asynq::broker::Transition;
use asynq::inspector::{Collection, Page, TaskEdit};
use asynq::wire::TaskMessage;
use asynq::{Client, Error, Inspector, Task, TaskOptions, TaskState};
use asynq_testkit::{GoPeer, RedisServer};
use serde_json::{Value, json};

use crate::support::{lease, redis, settle};

async fn all_three() -> (RedisServer, Client, Inspector, GoPeer) {
    let (redis, client) = redis().await;
    let (inspector, go) = (Inspector::new(&client), GoPeer::new(&redis.url()));
    (redis, client, inspector, go)
}

async fn enqueue(client: &Client, id: &str, set: impl FnOnce(TaskOptions) -> TaskOptions) {
    let options = set(TaskOptions::new().queue("q").task_id(id));
    let task = Task::new("task:x", format!("payload of {id}")).unwrap().header("k", "v").options(options);
    client.enqueue(task).await.unwrap();
}

/// Leases the next task of `q`, and settles it if told how.
async fn run_one(client: &Client, end: impl FnOnce(TaskMessage, i64) -> Option<Transition>) {
    let leased = lease(client, "q").await;
    let message = leased.message.clone().unwrap();
    if let Some(transition) = end(message, client.broker().clock().unix_seconds()) {
        settle(client, leased, transition).await;
    }
}

/// Tasks of every state in `q`, some of them Go's.
async fn seed(redis: &RedisServer, client: &Client, go: &GoPeer) {
    let failed = |message: TaskMessage, now| TaskMessage {
        retried: message.retried + 1,
        error_msg: "it broke".to_owned(),
        last_failed_at: now,
        ..message
    };
    for number in 0..3 {
        enqueue(client, &format!("retry{number}"), |options| options.max_retry(7)).await;
        run_one(client, |message, now| {
            let at = now + 60 - number;
            Some(Transition::Retry { message: failed(message, now), at, is_failure: true })
        })
        .await;
        enqueue(client, &format!("dead{number}"), |options| options).await;
        run_one(client, |message, now| {
            Some(Transition::Archive { message: Some(failed(message, now)), unique_key: String::new() })
        })
        .await;
        enqueue(client, &format!("done{number}"), |options| options.retention(Duration::from_secs(60 + 5)))
            .await;
        run_one(client, |message, now| {
            let message = TaskMessage { completed_at: now, ..message };
            Some(Transition::Complete { message, until: now + 65, result: Some("result".into()) })
        })
        .await;
        enqueue(client, &format!("active{number}"), |options| options).await;
        run_one(client, |_, _| None).await;
    }
    // Its worker is gone.
    redis.command::<()>(&["ZADD", "asynq:{q}:lease", "1000", "active1"]).await;
    for number in 0..35 {
        enqueue(client, &format!("p{number:02}"), |options| options).await;
        let later = Duration::from_secs(600 + number);
        enqueue(client, &format!("s{number:02}"), |options| options.process_in(later)).await;
    }
    let of_go = |number: u32, options: Value| json!({"type": "go:task", "payload": {"n": number}, "opts": options, "headers": {"trace": "1"}});
    go.enqueue_all([
        of_go(1, json!({"queue": "q", "task_id": "g1", "group": "g:1", "retention_ms": 5000})),
        of_go(2, json!({"queue": "q", "task_id": "g2", "group": "g:1"})),
        of_go(3, json!({"queue": "q", "task_id": "g3", "group": "h"})),
        of_go(4, json!({"queue": "other", "task_id": "d", "deadline_in_ms": 600_000, "unique_ms": 60_000})),
    ])
    .await;
}

/// Our answer to a request of gopeer.
async fn ours(inspector: &Inspector, request: &Value) -> Value {
    let request = serde_json::value::to_raw_value(request).unwrap();
    asynq_testkit::vectors::inspect(inspector, &request).await
}

/// In what two answers differ; what each read from its own clock may be a few seconds apart.
fn compare(at: &str, go: &Value, ours: &Value) {
    match (go, ours) {
        (Value::Object(go), Value::Object(ours)) => {
            for key in go.keys().filter(|key| !key.ends_with("_text") && *key != "message") {
                compare(&format!("{at}.{key}"), &go[key], ours.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(go), Value::Array(ours)) => {
            assert_eq!(go.len(), ours.len(), "{at}: {go:?} ≠ {ours:?}");
            for (index, (go, ours)) in go.iter().zip(ours).enumerate() {
                compare(&format!("{at}[{index}]"), go, ours);
            }
        }
        (Value::Number(go), Value::Number(ours)) if at.ends_with("_ns") => {
            let apart = go.as_i64().unwrap().abs_diff(ours.as_i64().unwrap());
            assert!(apart < 10_000_000_000, "{at}: {go} ≠ {ours}");
        }
        // Go tells nil from empty.
        (Value::Null, Value::Object(ours)) if at.ends_with("headers") => assert!(ours.is_empty()),
        (Value::Null, Value::String(ours)) if at.ends_with("payload_b64") => assert_eq!(ours, ""),
        _ => assert_eq!(go, ours, "{at}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tells_what_go_tells_of_the_same_redis() {
    let (redis, client, inspector, go) = all_three().await;
    seed(&redis, &client, &go).await;
    let worker = go.serve(&["--queues", "work=3,q2=1", "--concurrency", "4"]).await;
    go.enqueue(json!({"type": "do:sleep=60000", "opts": {"queue": "work", "task_id": "long"}})).await;
    worker.event("Go starts the task", |event| event["event"] == "start").await;
    // Go publishes what it runs every five seconds.
    redis.until::<i64>(&["EVAL", "local n = 0 for _, k in ipairs(redis.call('KEYS', 'asynq:workers:{*')) do n = n + redis.call('HLEN', k) end return n", "0"], |&n| n == 1).await;
    inspector.pause("q").await.unwrap();

    let mut requests = vec![
        json!({"op": "queues"}),
        json!({"op": "servers"}),
        json!({"op": "queue", "args": ["nowhere"]}),
        json!({"op": "groups", "args": ["q"]}),
        json!({"op": "history", "args": ["q", "5"]}),
        json!({"op": "task", "args": ["q", "nope"]}),
        json!({"op": "task", "args": ["other", "d"]}),
    ];
    requests.extend(["q", "other", "work"].map(|queue| json!({"op": "queue", "args": [queue]})));
    for state in ["pending", "active", "scheduled", "retry", "archived", "completed", "aggregating"] {
        for (page, size) in [(1, 30), (2, 30), (3, 2), (9, 30)] {
            let list =
                json!({"op": "list", "args": ["q", state], "group": "g:1", "page": page, "size": size});
            requests.push(list);
        }
    }
    for id in ["p00", "s00", "retry0", "dead0", "done0", "active0", "g1"] {
        requests.push(json!({"op": "task", "args": ["q", id]}));
    }
    for request in requests {
        let (go, ours) = (go.ask(&request).await, ours(&inspector, &request).await);
        compare(&request.to_string(), &go, &ours);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_sees_what_we_have_changed() {
    let (redis, client, inspector, go) = all_three().await;
    seed(&redis, &client, &go).await;
    let state = async |id: &str| go.inspect(&["task", "q", id]).await["state"].clone();

    for id in ["s00", "retry0", "dead0", "done0", "g1"] {
        inspector.run("q", id).await.unwrap();
        assert_eq!(state(id).await, "pending", "{id}");
    }
    for id in ["p00", "s01", "retry1", "done1", "g2"] {
        inspector.archive("q", id).await.unwrap();
        assert_eq!(state(id).await, "archived", "{id}");
    }
    inspector.delete("q", "p01").await.unwrap();
    assert_eq!(go.inspect(&["task", "q", "p01"]).await["error"]["class"], "task_not_found");

    let edit = TaskEdit::new().payload("new").header("k", "2").max_retry(3);
    inspector.edit("q", "s02", edit).await.unwrap();
    let at = asynq::clock::Clock::system().now() + Duration::from_secs(86_400);
    inspector.reschedule("q", "dead1", at).await.unwrap();
    let edited = go.inspect(&["task", "q", "s02"]).await;
    assert_eq!((&edited["payload_text"], &edited["max_retry"]), (&json!("new"), &json!(3)));
    assert_eq!(edited["headers"]["k"], "2");
    let later = go.inspect(&["task", "q", "dead1"]).await;
    assert_eq!(later["state"], "scheduled");
    assert_eq!(later["next_process_at_ns"].as_i64().unwrap() / 1_000_000_000, at.as_second());

    inspector.move_task("q", "s03", "elsewhere").await.unwrap();
    let moved = go.inspect(&["task", "elsewhere", "s03"]).await;
    assert_eq!((&moved["state"], &moved["queue"]), (&json!("scheduled"), &json!("elsewhere")));

    assert!(inspector.pause("q").await.unwrap());
    assert_eq!(go.inspect(&["queue", "q"]).await["paused"], true);
    assert!(inspector.resume("q").await.unwrap());
    assert_eq!(go.inspect(&["unpause", "q"]).await["error"]["class"], "failed_precondition");

    let archived = inspector.archive_all("q", Collection::Scheduled).await.unwrap().changed;
    assert_eq!(
        archived, 33,
        "35 but for two that run, one that was archived and one that moved, and one that came"
    );
    let ran = inspector.run_all("q", Collection::Archived).await.unwrap().changed;
    let deleted = inspector.delete_all("q", Collection::Pending).await.unwrap().changed;
    assert_eq!(deleted, ran + 33 + 5, "and 33 of the first pending ones, and 5 that ran");
    let counts = go.inspect(&["queue", "q"]).await;
    let counts: Vec<_> = ["pending", "scheduled", "archived"].iter().map(|state| &counts[*state]).collect();
    assert_eq!(counts, [&json!(0), &json!(0), &json!(0)]);

    let worker = go.serve(&["--queues", "elsewhere=1"]).await;
    inspector.run("elsewhere", "s03").await.unwrap();
    worker.event("Go runs what we moved", |event| event["event"] == "handled" && event["id"] == "s03").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_see_what_go_has_changed() {
    let (redis, client, inspector, go) = all_three().await;
    seed(&redis, &client, &go).await;
    let state = async |id: &str| inspector.task("q", id).await.map(|detail| detail.info.state).ok();
    assert_eq!(go.inspect(&["run", "q", "dead0"]).await, json!({"ok": true}));
    assert_eq!(state("dead0").await, Some(TaskState::Pending));
    assert_eq!(go.inspect(&["archive", "q", "p00"]).await, json!({"ok": true}));
    assert_eq!(state("p00").await, Some(TaskState::Archived));
    assert_eq!(go.inspect(&["delete", "q", "g1"]).await, json!({"ok": true}));
    assert_eq!(state("g1").await, None);
    assert_eq!(go.inspect(&["update-payload", "q", "s00", "--payload", "of Go"]).await, json!({"ok": true}));
    assert_eq!(inspector.task("q", "s00").await.unwrap().info.payload, "of Go");
    assert_eq!(go.inspect(&["pause", "q"]).await, json!({"ok": true}));
    assert!(!inspector.pause("q").await.unwrap());
    assert!(inspector.queue_info("q").await.unwrap().is_paused());
    let count = go.inspect(&["delete-all", "q", "retry"]).await["count"].clone();
    assert_eq!((count, inspector.queue_info("q").await.unwrap().retry), (json!(3), 0));
    let empty = inspector.list("q", Collection::Retry, Page::first()).await.unwrap();
    assert!(empty.tasks.is_empty() && !empty.has_more);
}

/// Redis may tell of more at once than it is asked for.
#[tokio::test]
async fn of_thousands_of_groups_none_is_left_out() {
    const GROUPS: usize = 5_000;
    let (redis, client) = redis().await;
    redis.fill_groups("q", GROUPS).await;
    let inspector = Inspector::new(&client);
    let groups = inspector.groups("q").await.unwrap();
    assert_eq!(groups.len(), GROUPS);
    assert_eq!(groups.iter().map(|group| group.size).sum::<usize>(), GROUPS);
    let info = inspector.queue_info("q").await.unwrap();
    assert_eq!((info.groups, info.aggregating), (GROUPS, GROUPS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_go_has_used_is_deleted_whole() {
    let (redis, client, inspector, go) = all_three().await;
    let unique = json!({"queue": "q", "group": "g", "unique_ms": 600_000, "task_id": "grouped"});
    go.enqueue(json!({"type": "t", "payload_text": "p", "opts": unique})).await;
    enqueue(&client, "leaked", |options| options.unique(Duration::from_secs(600))).await;
    // As Go's trimming leaves it.
    redis.command::<()>(&["DEL", "asynq:{q}:pending"]).await;
    let worker = go.serve(&["--queues", "q=1", "--janitor-ms", "60000"]).await;
    let kept = json!({"queue": "q", "retention_ms": 60_000, "task_id": "kept"});
    go.enqueue(json!({"type": "do:ok", "opts": kept})).await;
    worker.event("Go handles a task", |event| event["event"] == "handled").await;
    redis.until::<i64>(&["ZCARD", "asynq:{q}:completed"], |&count| count == 1).await;
    worker.signal("TERM");
    worker.event("Go stops", |event| event["event"] == "stopped").await;
    inspector.pause("q").await.unwrap();

    let refused = inspector.delete_queue("q").await.unwrap_err();
    assert!(matches!(refused, Error::QueueNotEmpty { .. }), "Go would leave the group behind: {refused}");
    inspector.force_delete_queue("q").await.unwrap();
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "asynq:{q}*"]).await, Vec::<String>::new());
    assert_eq!(go.inspect(&["queues"]).await["queues"], json!([]));
    assert!(matches!(inspector.queue_info("q").await, Err(Error::QueueNotFound { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tells_of_the_schedulers_of_go() {
    let (_redis, _client, inspector, go) = all_three().await;
    let scheduler = go.schedule(&["--cron", "@every 1s", "--type", "tick", "--payload", "p"]).await;
    scheduler.event("Go enqueues", |event| event["event"] == "enqueued").await;
    let entries = asynq_testkit::eventually("the entries are there", async || {
        Some(inspector.scheduler_entries().await.unwrap()).filter(|entries| !entries.is_empty())
    })
    .await;
    let entry = &entries[0];
    assert_eq!((entry.spec.as_str(), entry.task_type.as_str()), ("@every 1s", "tick"));
    assert_eq!((entry.payload.as_ref(), entry.unreadable_options.len()), (b"p".as_slice(), 0));
    assert!(entry.next.is_some());
    let events = asynq_testkit::eventually("what it has enqueued is there", async || {
        Some(inspector.enqueue_events(&entry.id, Page::new(1, 1).unwrap()).await.unwrap())
            .filter(|events| !events.is_empty())
    })
    .await;
    assert!(events[0].enqueued_at.is_some());
    inspector.task("default", &events[0].task_id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_tells_slots_and_nodes() {
    let redis = RedisServer::start_with(&["--cluster-enabled", "yes"]).await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let inspector = Inspector::new(&client);
    assert_eq!(inspector.cluster_nodes("q").await.unwrap(), []);
    redis.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    let slot = inspector.cluster_key_slot("q").await.unwrap();
    assert_eq!(i64::from(slot), redis.command::<i64>(&["CLUSTER", "KEYSLOT", "{q}"]).await);
    let nodes = inspector.cluster_nodes("q").await.unwrap();
    let id: String = redis.command(&["CLUSTER", "MYID"]).await;
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].id, id);
    assert!(nodes[0].address.ends_with(&format!(":{}", redis.port())), "{nodes:?}");
}
