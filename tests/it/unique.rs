//! Unique tasks: what names their lock, until when they keep others out, and what Go makes of that.

use std::sync::Arc;
use std::time::Duration;

use asynq::{Client, Ctx, Error, IfAbsent, Inspector, Router, Task, TaskOptions, TaskState, UniqueUntil};
use asynq_testkit::{GoPeer, RedisServer, eventually};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{gone, in_state, redis, telling, worker};

const MINUTE: Duration = Duration::from_secs(60);

fn task(payload: &'static str, options: TaskOptions) -> Task {
    Task::new("t", payload).unwrap().options(options)
}

fn keyed(key: &str) -> TaskOptions {
    TaskOptions::new().unique(MINUTE).unique_key(key)
}

fn until(until: UniqueUntil) -> TaskOptions {
    TaskOptions::new().unique(MINUTE).unique_until(until)
}

/// The task because of which this one is refused; `None` when it is stored.
async fn refused(client: &Client, task: Task) -> Option<String> {
    match client.enqueue(task).await {
        Ok(_) => None,
        Err(Error::DuplicateTask { holder, .. }) => Some(holder),
        Err(other) => panic!("{other}"),
    }
}

async fn locks(redis: &RedisServer) -> Vec<String> {
    redis.command(&["KEYS", "*unique:*"]).await
}

async fn with_go() -> (RedisServer, Client, GoPeer) {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    (redis, client, go)
}

/// What Go makes of a unique task with this payload: `stored`, or the class of its error.
async fn by_go(go: &GoPeer, kind: &str, payload: &str) -> String {
    let task = json!({"type": kind, "payload_text": payload, "opts": {"unique_ms": 60_000}});
    let answer = go.enqueue(task).await;
    answer["error"]["class"].as_str().unwrap_or("stored").to_owned()
}

async fn is_ok(go: &GoPeer, request: &[&str]) -> Value {
    let answer = go.inspect(request).await;
    assert!(answer.get("error").is_none(), "{answer}");
    answer
}

#[tokio::test]
async fn a_key_of_ones_own_takes_the_place_of_the_payload() {
    let client = Client::in_memory();
    client.enqueue(task("one", keyed("order:42").task_id("a"))).await.unwrap();
    assert_eq!(refused(&client, task("two", keyed("order:42"))).await.as_deref(), Some("a"));
    assert_eq!(refused(&client, task("one", keyed("order:43"))).await, None);
    assert_eq!(refused(&client, task("one", TaskOptions::new().unique(MINUTE))).await, None);
    let other_type = Task::new("t:order", "one").unwrap();
    assert_eq!(refused(&client, other_type.options(keyed("42"))).await, None, "each type has its own");
    let other_queue = task("one", keyed("order:42").queue("low"));
    assert_eq!(refused(&client, other_queue).await, None, "each queue has its own");
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_before_anything_is_sent() {
    let client = Client::in_memory();
    for (options, told) in [
        (keyed(" "), "invalid option `unique_key`: must not be blank, got \" \""),
        (keyed(&"x".repeat(513)), "invalid option `unique_key`: 513 bytes are more than 512"),
        (
            TaskOptions::new().unique_key("k"),
            "invalid option `unique_key`: needs `unique`, which says for how long",
        ),
        (
            TaskOptions::new().unique_by("k"),
            "invalid option `unique_by`: needs `unique`, which says for how long",
        ),
        (
            TaskOptions::new().unique_until(UniqueUntil::Ttl),
            "invalid option `unique_until`: needs `unique`, which says for how long",
        ),
    ] {
        assert_eq!(client.enqueue(task("p", options)).await.unwrap_err().to_string(), told);
    }
    assert!(client.enqueue(task("p", keyed(&"x".repeat(512)))).await.is_ok());
}

#[tokio::test]
async fn a_task_that_is_there_already_may_be_no_error() {
    let client = Client::in_memory();
    let results = client
        .enqueue_all([
            task("p", keyed("k").task_id("a")),
            task("q", keyed("k").task_id("b")),
            task("r", TaskOptions::new().task_id("a")),
            task("s", TaskOptions::new().queue(" ")),
        ])
        .await;
    let told: Vec<_> =
        results.into_iter().map(|result| result.if_absent().map(|info| info.is_some())).collect();
    assert!(matches!(told[..], [Ok(true), Ok(false), Ok(false), Err(Error::InvalidOption(_))]), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_come_at_once_one_is_stored() {
    let (redis, _) = redis().await;
    let mut producers = JoinSet::new();
    for _ in 0..8 {
        let client = Client::connect(&redis.url()).await.unwrap();
        producers.spawn(async move {
            let mut results = Vec::new();
            for _ in 0..20 {
                results.push(client.enqueue(task("p", TaskOptions::new().unique(MINUTE))).await);
            }
            results
        });
    }
    let results: Vec<_> = producers.join_all().await.into_iter().flatten().collect();
    let stored: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    let [stored] = stored[..] else { panic!("{} were stored", stored.len()) };
    for refusal in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(
            matches!(refusal, Error::DuplicateTask { holder, .. } if *holder == stored.id.as_str()),
            "{refusal}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_worker_ends_each_lock_in_its_time() {
    let (redis, client) = redis().await;
    let (started, release) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let held = (Arc::clone(&started), Arc::clone(&release));
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let (started, release) = held.clone();
            async move {
                if ctx.task_id() == "a" {
                    started.add_permits(1);
                    release.acquire().await?.forget();
                }
                Ok::<_, tokio::sync::AcquireError>(())
            }
        })
        .unwrap();
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    for (kind, while_it_runs, afterwards) in [
        (UniqueUntil::Success, Some("a"), None),
        (UniqueUntil::Start, None, None),
        (UniqueUntil::Ttl, Some("a"), Some("a")),
    ] {
        let again = |id: &str| task(kind.as_str(), until(kind).task_id(id));
        client.enqueue(again("a")).await.unwrap();
        started.acquire().await.unwrap().forget();
        assert_eq!(refused(&client, again("b")).await.as_deref(), while_it_runs, "{kind:?}");
        release.add_permits(1);
        gone(&client, "default", "a").await;
        gone(&client, "default", "b").await;
        assert_eq!(refused(&client, again("c")).await.as_deref(), afterwards, "{kind:?}");
        gone(&client, "default", "c").await;
    }
    server.shutdown().await;
    assert_eq!(locks(&redis).await.len(), 1, "only that of the whole time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chosen_part_of_a_payload_is_gos_lock_for_it() {
    let (_redis, client, go) = with_go().await;
    let by_part = |payload, part: &'static str| {
        Task::new("mail", payload).unwrap().options(TaskOptions::new().unique(MINUTE).unique_by(part))
    };
    client.enqueue(by_part(r#"{"to":"ann","body":"x"}"#, r#"{"to":"ann"}"#)).await.unwrap();
    assert_eq!(by_go(&go, "mail", r#"{"to":"ann"}"#).await, "duplicate");
    assert_eq!(by_go(&go, "mail", r#"{"to":"bob"}"#).await, "stored");
    assert!(refused(&client, by_part(r#"{"to":"bob","body":"y"}"#, r#"{"to":"bob"}"#)).await.is_some());
    // A key of our own never is the lock of a payload, not even if it looks like one.
    let hash = "83878c91171338902e0fe0fb97a8c47a";
    assert_eq!(refused(&client, task("one", keyed(hash))).await, None);
    assert_eq!(by_go(&go, "t", "p").await, "stored", "the hash of p is {hash}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_worker_ends_our_tasks_of_every_kind() {
    let (redis, client, go) = with_go().await;
    let serving = go.serve(&["--queues", "default=1", "--concurrency", "5"]).await;
    let slow = |options: TaskOptions| Task::new("do:sleep=1500", "p").unwrap().options(options);
    client.enqueue(slow(keyed("k").task_id("keyed"))).await.unwrap();
    client.enqueue(slow(until(UniqueUntil::Start).task_id("start"))).await.unwrap();
    serving.event("go starts it", |event| event["event"] == "start" && event["id"] == "start").await;
    // Go refuses it until it is done; for us it has started.
    assert_eq!(by_go(&go, "do:sleep=1500", "p").await, "duplicate");
    assert_eq!(refused(&client, slow(until(UniqueUntil::Start).task_id("next"))).await, None);
    assert_eq!(refused(&client, slow(keyed("k"))).await.as_deref(), Some("keyed"));
    for id in ["keyed", "start", "next"] {
        gone(&client, "default", id).await;
    }
    assert_eq!(locks(&redis).await, Vec::<String>::new());

    client.enqueue(task("p", until(UniqueUntil::Ttl).task_id("ttl"))).await.unwrap();
    gone(&client, "default", "ttl").await;
    assert_eq!(by_go(&go, "t", "p").await, "duplicate");
    let again = task("p", TaskOptions::new().unique(MINUTE));
    assert_eq!(refused(&client, again).await.as_deref(), Some("ttl"));
    let left: i64 = redis.command(&["TTL", &locks(&redis).await[0]]).await;
    assert!((1..=60).contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_inspector_deletes_our_tasks_of_every_kind() {
    let (redis, client, go) = with_go().await;
    client.enqueue(task("p", keyed("k").task_id("keyed"))).await.unwrap();
    client.enqueue(task("q", until(UniqueUntil::Start).task_id("start"))).await.unwrap();
    client.enqueue(task("r", until(UniqueUntil::Ttl).task_id("ttl"))).await.unwrap();
    let inspector = Inspector::new(&client);
    for (id, kind) in
        [("keyed", UniqueUntil::Success), ("start", UniqueUntil::Start), ("ttl", UniqueUntil::Ttl)]
    {
        let lock = inspector.task("default", id).await.unwrap().lock.unwrap();
        assert_eq!((lock.holder.as_deref(), lock.until), (Some(id), kind));
        assert_eq!(is_ok(&go, &["task", "default", id]).await["state"], "pending");
        is_ok(&go, &["delete", "default", id]).await;
    }
    assert_eq!(locks(&redis).await.len(), 1, "that of the whole time");
    assert_eq!(refused(&client, task("r", until(UniqueUntil::Ttl))).await.as_deref(), Some("ttl"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b6_a_lock_that_go_leaves_behind_keeps_nobody_out() {
    let (redis, client, go) = with_go().await;
    assert_eq!(by_go(&go, "t", "p").await, "stored");
    is_ok(&go, &["delete-all", "default", "pending"]).await;
    assert_eq!(locks(&redis).await.len(), 1);
    assert_eq!(by_go(&go, "t", "p").await, "duplicate", "Go waits for its end");
    assert_eq!(refused(&client, task("p", TaskOptions::new().unique(MINUTE).task_id("ours"))).await, None);
    let (router, _told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    gone(&client, "default", "ours").await;
    server.shutdown().await;
    eventually("the lock is released", async || locks(&redis).await.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_moves_with_its_kind_of_lock() {
    let (_redis, client) = redis().await;
    let inspector = Inspector::new(&client);
    for kind in [UniqueUntil::Success, UniqueUntil::Start, UniqueUntil::Ttl] {
        let id = kind.as_str();
        let options = until(kind).unique_key(id).task_id(id);
        client.enqueue(task("p", options.clone())).await.unwrap();
        inspector.move_task("default", id, "other").await.unwrap();
        let lock = inspector.task("other", id).await.unwrap().lock.unwrap();
        assert_eq!((lock.holder.as_deref(), lock.until), (Some(id), kind));
        let there = options.queue("other").task_id("another");
        assert_eq!(refused(&client, task("p", there)).await.as_deref(), Some(id));
    }
    in_state(&client, "other", "start", TaskState::Pending).await;
}
