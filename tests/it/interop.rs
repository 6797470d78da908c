//! Beside the real Go asynq, in both directions.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asynq::{Client, Ctx, Router, SkipRetry, Task, TaskOptions, TaskState};
use asynq_testkit::{GoPeer, RedisServer, eventually};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{doing, gone, in_state, redis, telling, worker};

async fn all_three() -> (RedisServer, Client, GoPeer) {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    (redis, client, go)
}

async fn next(told: &mut mpsc::Receiver<Ctx>) -> Ctx {
    tokio::time::timeout(Duration::from_secs(30), told.recv()).await.expect("no task arrives").unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

/// Go enqueues with one option; our worker handles the task and sees what Go meant.
async fn go_to_rust(task: Value, check: impl Fn(&Ctx, &Value)) -> (RedisServer, Client, GoPeer, Value) {
    let (redis, client, go) = all_three().await;
    let (router, mut told) = telling(&["go:"]);
    let server = worker(&client, router, &["default", "low"]).start().await.unwrap();
    let answer = go.enqueue(task).await;
    assert!(answer.get("error").is_none(), "{answer}");
    let ctx = next(&mut told).await;
    assert_eq!(ctx.task_id(), text(&answer, "id"));
    check(&ctx, &answer);
    server.shutdown().await;
    (redis, client, go, answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_task_of_go_is_handled_and_gone() {
    let (redis, client, _, answer) =
        go_to_rust(json!({"type": "go:plain", "payload": {"to": "ann"}}), |ctx, _| {
            assert_eq!(ctx.payload().as_ref(), br#"{"to":"ann"}"#);
            assert_eq!((ctx.retried(), ctx.max_retry()), (0, 25));
            let limit = ctx.deadline().unwrap().duration_since(asynq::clock::Clock::system().now());
            assert!((1_700..=1_800).contains(&limit.as_secs()), "{limit}");
        })
        .await;
    gone(&client, "default", text(&answer, "id")).await;
    assert_eq!(redis.command::<i64>(&["GET", "asynq:{default}:processed"]).await, 1);
    assert_eq!(redis.command::<i64>(&["EXISTS", "asynq:{default}:active", "asynq:{default}:lease"]).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_option_of_go_arrives() {
    let task = json!({
        "type": "go:options",
        "payload_text": "p",
        "headers": {"trace": "1", "tenant": "ä"},
        "opts": {
            "queue": "low", "max_retry": 3, "timeout_ms": 20_000, "deadline_in_ms": 3_600_000, "process_in_ms": 1_500,
            "unique_ms": 60_000, "retention_ms": 60_000, "task_id": "my-id"
        }
    });
    let (redis, client, go, _) = go_to_rust(task, |ctx, _| {
        assert_eq!((ctx.task_id().as_str(), ctx.queue().as_str()), ("my-id", "low"));
        assert_eq!(ctx.max_retry(), 3);
        assert_eq!(ctx.headers().get("tenant").map(String::as_str), Some("ä"));
        let limit = ctx.deadline().unwrap().duration_since(asynq::clock::Clock::system().now());
        assert!((15..=20).contains(&limit.as_secs()), "the timeout is shorter than the deadline: {limit}");
    })
    .await;
    let kept = in_state(&client, "low", "my-id", TaskState::Completed).await;
    assert_eq!(kept.retention, Duration::from_secs(60));
    let seen = go.inspect(&["task", "low", "my-id"]).await;
    assert_eq!(text(&seen, "state"), "completed");
    assert!(seen["completed_at_unix"].is_i64(), "{seen}");
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "*:unique:*"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_task_of_go_is_retried_and_archived_as_go_would() {
    let (redis, client, go) = all_three().await;
    let (router, mut told) = doing(&["go:"], |ctx| match ctx.task_type() {
        "go:skip" => Err(SkipRetry::new("bad input").into()),
        _ => Err("boom".into()),
    });
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    go.enqueue(json!({"type": "go:fail", "opts": {"task_id": "fail", "max_retry": 1}})).await;
    go.enqueue(json!({"type": "go:skip", "opts": {"task_id": "skip"}})).await;
    in_state(&client, "default", "fail", TaskState::Archived).await;
    in_state(&client, "default", "skip", TaskState::Archived).await;
    server.shutdown().await;
    let runs: Vec<(String, i32)> = std::iter::from_fn(|| told.try_recv().ok())
        .map(|ctx| (ctx.task_id().as_str().to_owned(), ctx.retried()))
        .collect();
    assert_eq!(runs.iter().filter(|(id, _)| id == "fail").map(|(_, n)| *n).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(runs.iter().filter(|(id, _)| id == "skip").count(), 1);
    let seen = go.inspect(&["task", "default", "fail"]).await;
    assert_eq!((text(&seen, "last_err"), seen["retried"].as_i64()), ("boom", Some(1)));
    assert!(seen["last_failed_at_unix"].is_i64());
    let seen = go.inspect(&["task", "default", "skip"]).await;
    assert_eq!(text(&seen, "last_err"), "bad input: skip retry for the task");
    assert_eq!(redis.command::<i64>(&["GET", "asynq:{default}:failed"]).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_with_every_option_of_ours_is_handled_by_go() {
    let (redis, client, go) = all_three().await;
    let worker = go.serve(&["--queues", "default=1,low=2", "--concurrency", "5"]).await;
    let deadline = asynq::clock::Clock::system().now() + Duration::from_secs(3_600);
    let task = Task::new("do:echo", r#"{"k":"ä"}"#).unwrap().header("tenant", "42").options(
        TaskOptions::new()
            .queue("low")
            .max_retry(3)
            .deadline(deadline)
            .process_in(Duration::from_secs(1))
            .unique(Duration::from_secs(60))
            .retention(Duration::from_secs(60))
            .task_id("ours")
            .header("more", "x"),
    );
    let info = client.enqueue(task).await.unwrap();
    assert_eq!(info.state, TaskState::Scheduled);
    let start =
        worker.event("go starts our task", |event| event["event"] == "start" && event["id"] == "ours").await;
    assert_eq!(text(&start, "queue"), "low");
    assert_eq!(start["max_retry"], 3);
    assert_eq!(start["headers"], json!({"tenant": "42", "more": "x"}));
    assert_eq!(start["deadline_ns"].as_i64().unwrap() / 1_000_000_000, deadline.as_second());
    let done = in_state(&client, "low", "ours", TaskState::Completed).await;
    assert_eq!(done.result.as_deref(), Some(r#"{"k":"ä"}"#.as_bytes()));
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "*:unique:*"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_refuse_the_same_duplicates() {
    let (_redis, client, go) = all_three().await;
    let unique = |payload: &'static str| {
        Task::new("same:type", payload).unwrap().options(TaskOptions::new().unique(Duration::from_secs(60)))
    };
    let first = client.enqueue(unique("p")).await.unwrap();
    let answer =
        go.enqueue(json!({"type": "same:type", "payload_text": "p", "opts": {"unique_ms": 60_000}})).await;
    assert_eq!(answer["error"]["class"], "duplicate", "{answer}");
    let answer =
        go.enqueue(json!({"type": "same:type", "payload_text": "q", "opts": {"unique_ms": 60_000}})).await;
    match client.enqueue(unique("q")).await.unwrap_err() {
        asynq::Error::DuplicateTask { holder, .. } => assert_eq!(holder, text(&answer, "id")),
        other => panic!("{other}"),
    }
    let id = first.id.as_str();
    let answer = go.enqueue(json!({"type": "other", "opts": {"task_id": id}})).await;
    assert_eq!(answer["error"]["class"], "conflict", "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_inspector_reads_every_state_that_we_write() {
    let (_redis, client, go) = all_three().await;
    let release = Arc::new(Semaphore::new(0));
    let router = {
        let release = Arc::clone(&release);
        Router::new()
            .route("t:hold", move |_: Ctx| {
                let release = Arc::clone(&release);
                async move {
                    let _held = release.acquire().await;
                }
            })
            .unwrap()
            .route("t:ok", async |_: Ctx| Ok::<_, String>("result"))
            .unwrap()
            .route("t:fail", async |_: Ctx| Err::<(), _>("boom"))
            .unwrap()
    };
    let server = worker(&client, router, &["default"])
        .retry_policy(asynq::RetryPolicy::Fixed(Duration::from_secs(600)))
        .start()
        .await
        .unwrap();
    let task =
        |kind: &str, options: TaskOptions| Task::new(kind, "x").unwrap().options(options.task_id(kind));
    let minute = Duration::from_secs(60);
    let tasks = [
        task("t:hold", TaskOptions::new()),
        task("t:ok", TaskOptions::new().retention(minute)),
        task("t:fail", TaskOptions::new()),
        task("t:fail", TaskOptions::new().max_retry(0)).options(TaskOptions::new().task_id("archived")),
        task("t:later", TaskOptions::new().process_in(minute)),
        task("t:grouped", TaskOptions::new().group("g")),
        task("t:waiting", TaskOptions::new().queue("unserved")),
    ];
    assert!(client.enqueue_all(tasks).await.iter().all(Result::is_ok));
    let expected = [
        ("default", "t:hold", "active"),
        ("default", "t:ok", "completed"),
        ("default", "t:fail", "retry"),
        ("default", "archived", "archived"),
        ("default", "t:later", "scheduled"),
        ("default", "t:grouped", "aggregating"),
        ("unserved", "t:waiting", "pending"),
    ];
    for (queue, id, state) in expected {
        let seen = eventually(&format!("Go sees {id} as {state}"), async || {
            Some(go.inspect(&["task", queue, id]).await).filter(|seen| seen["state"] == state)
        })
        .await;
        assert_eq!(text(&seen, "payload_text"), "x");
        let mut list = vec!["list", queue, state];
        if state == "aggregating" {
            list.extend(["--group", "g"]);
        }
        let listed = go.inspect(&list).await;
        let ids: Vec<_> = listed["tasks"].as_array().unwrap().iter().map(|task| text(task, "id")).collect();
        assert!(ids.contains(&id), "{state}: {ids:?}");
        let ours = crate::support::info(&client, queue, id).await.unwrap();
        assert_eq!(ours.state.as_str(), state);
        assert_eq!(seen["last_err"], ours.last_error);
        assert_eq!(seen["retried"], ours.retried);
    }
    // What a beat tells may still name the tasks that ended since; the one after it does not.
    let servers = eventually("Go sees our server, which runs the one task that is held", async || {
        Some(go.inspect(&["servers"]).await).filter(|seen| {
            seen["servers"][0]["active_workers"]
                .as_array()
                .is_some_and(|workers| workers.len() == 1 && workers[0]["task_id"] == "t:hold")
        })
    })
    .await;
    let seen = &servers["servers"][0];
    assert_eq!((text(seen, "status"), seen["concurrency"].as_i64()), ("active", Some(10)));
    assert_eq!(seen["queues"], json!({"default": 1}));
    let told = asynq::inspector::Inspector::new(&client).servers().await.unwrap();
    assert_eq!(told[0].version.as_deref(), Some(env!("CARGO_PKG_VERSION")), "Go passes over it");
    release.add_permits(1);
    server.shutdown().await;
    assert_eq!(go.inspect(&["servers"]).await["servers"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_cancels_a_task_that_we_run() {
    let (_redis, client, go) = all_three().await;
    let router = Router::new()
        .route("t:wait", async |ctx: Ctx| {
            ctx.cancelled().await;
            Err::<(), _>("told to stop")
        })
        .unwrap();
    let server = worker(&client, router, &["default"])
        .retry_policy(asynq::RetryPolicy::Fixed(Duration::from_secs(600)))
        .start()
        .await
        .unwrap();
    client.enqueue(Task::new("t:wait", "").unwrap().options(TaskOptions::new().task_id("w"))).await.unwrap();
    in_state(&client, "default", "w", TaskState::Active).await;
    // Best effort, as in Go: the worker may not have subscribed yet.
    let retried = eventually("the cancelled task is retried", async || {
        go.inspect(&["cancel", "w"]).await;
        crate::support::info(&client, "default", "w").await.filter(|info| info.state == TaskState::Retry)
    })
    .await;
    assert_eq!(retried.last_error, "told to stop");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_and_a_rust_worker_drain_one_queue_together() {
    const TASKS: usize = 5_000;
    let (redis, client, go) = all_three().await;
    let results = client.enqueue_all((0..TASKS).map(|n| Task::new("do:ok", n.to_string()).unwrap())).await;
    assert!(results.iter().all(Result::is_ok));
    let go_worker = go.serve(&["--queues", "default=1", "--concurrency", "10"]).await;
    let ours = Arc::new(AtomicUsize::new(0));
    let (told, mut handled) = mpsc::channel(TASKS);
    let router = {
        let ours = Arc::clone(&ours);
        Router::new()
            .route("do:", move |ctx: Ctx| {
                let (ours, told) = (Arc::clone(&ours), told.clone());
                async move {
                    ours.fetch_add(1, Ordering::Relaxed);
                    // Slow enough that both get their share.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    told.send(ctx.task_id().as_str().to_owned()).await
                }
            })
            .unwrap()
    };
    let server = worker(&client, router, &["default"]).concurrency(40).start().await.unwrap();
    redis
        // There is no counter before the first task is done.
        .until::<Option<i64>>(&["GET", "asynq:{default}:processed"], |&done| {
            done == Some(i64::try_from(TASKS).unwrap())
        })
        .await;
    server.shutdown().await;
    let mut runs: HashMap<String, usize> = HashMap::new();
    while let Ok(id) = handled.try_recv() {
        *runs.entry(id).or_default() += 1;
    }
    let by_rust: usize = runs.values().sum();
    eventually("every handled line of Go is read", async || {
        let handled = go_worker.events().iter().filter(|event| event["event"] == "handled").count();
        (handled + by_rust >= TASKS).then_some(())
    })
    .await;
    let mut by_go = 0;
    for event in go_worker.events().iter().filter(|event| event["event"] == "handled") {
        *runs.entry(text(event, "id").to_owned()).or_default() += 1;
        by_go += 1;
    }
    println!("{TASKS} tasks: {by_rust} by Rust, {by_go} by Go");
    assert_eq!(runs.len(), TASKS);
    assert!(runs.values().all(|&runs| runs == 1));
    assert!(by_rust > 0 && by_go > 0);
    let left: Vec<String> = redis.command(&["KEYS", "asynq:{default}:t:*"]).await;
    assert_eq!(left, Vec::<String>::new());
}
