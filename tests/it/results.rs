//! Results, and waiting for them: on a real Redis, from other processes, beside Go.

use std::collections::BTreeMap;
use std::time::Duration;

use asynq::broker::BrokerErrorKind;
use asynq::client::WaitError;
use asynq::router::registered;
use asynq::{Client, Ctx, Handler, Outcome, Router, Task, TaskOptions, job};
use asynq_testkit::GoPeer;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{redis, worker};

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Receipt {
    to: String,
    number: u64,
}

/// Waits for a moment, and gives a receipt.
#[job(name = "results:send", queue = "results", retention = "10m", retry = 0)]
async fn send_parcel(to: String, number: u64) -> Result<Receipt, String> {
    tokio::time::sleep(Duration::from_millis(200)).await;
    if to.is_empty() { Err("no address".to_owned()) } else { Ok(Receipt { to, number }) }
}

/// Bytes as they are.
#[job(name = "results:raw", queue = "results", retention = "10m")]
async fn draw(seed: u8) -> Result<Outcome, String> {
    Ok(Outcome { result: Some(vec![0xff, 0, seed].into()) })
}

/// Nothing to give, nothing to keep.
#[job(name = "results:note", queue = "results")]
async fn take_note() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// A job that waits for another one.
#[job(name = "results:both", queue = "results", retention = "10m")]
async fn send_both(to: String, ctx: &Ctx) -> anyhow::Result<u64> {
    let first = SendParcel::new(to.as_str(), 1).enqueue(ctx).await?;
    let second = SendParcel::new(to.as_str(), 2).enqueue(ctx).await?;
    Ok(first.wait(ctx).await?.number + second.wait(ctx).await?.number)
}

/// A router for the jobs of this file alone: the test binary has others.
fn router() -> Router {
    let jobs = registered().unwrap().into_iter().filter(|job| job.name.starts_with("results:"));
    jobs.fold(Router::new(), |router, job| router.handle(job.name, Handler::registered(job.run)).unwrap())
}

fn kept(task_type: &str, payload: &str, id: &str) -> Task {
    let options = TaskOptions::new().task_id(id).retention(Duration::from_secs(600)).max_retry(0);
    Task::new(task_type, payload.to_owned()).unwrap().options(options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_job_returns_is_waited_for_by_any_process() {
    let (redis, client) = redis().await;
    let server = worker(&client, router(), &["results"]).start().await.unwrap();
    let sent = SendParcel::new("ann", 7).enqueue(&client).await.unwrap();
    let other_process = Client::connect(&redis.url()).await.unwrap();
    let expected = Receipt { to: "ann".to_owned(), number: 7 };
    let (here, there) = tokio::join!(
        sent.wait(&client).timeout(Duration::from_secs(30)).into_future(),
        other_process.wait::<SendParcel>("results", &sent.id).into_future(),
    );
    assert_eq!((here.unwrap(), there.unwrap()), (Receipt { to: "ann".to_owned(), number: 7 }, expected));

    let failed = SendParcel::new("", 8).enqueue(&client).await.unwrap().wait(&client).await.unwrap_err();
    assert!(matches!(&failed, WaitError::Failed { error, .. } if error == "no address"), "{failed}");
    let raw = Draw::new(9).enqueue(&client).await.unwrap().wait(&client).await.unwrap();
    assert_eq!(raw.result.as_deref(), Some([0xff, 0, 9].as_slice()));
    TakeNote::new().enqueue(&client).await.unwrap().wait(&client).await.unwrap();
    let sum = SendBoth::new("bob").enqueue(&client).await.unwrap().wait(&client).await.unwrap();
    assert_eq!(sum, 3);
    server.shutdown().await;
    let marks: Vec<String> = redis.command(&["ZRANGE", "asynq:{results}:x:waits", "0", "-1"]).await;
    assert_eq!(marks, Vec::<String>::new(), "every mark has served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_woken_and_does_not_poll() {
    let (redis, client) = redis().await;
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    let held = std::sync::Arc::new(tokio::sync::Mutex::new(Some(held)));
    let router = Router::new()
        .route("hold", move |_: Ctx| {
            let held = std::sync::Arc::clone(&held);
            async move {
                if let Some(held) = held.lock().await.take() {
                    drop(held.await);
                }
            }
        })
        .unwrap();
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let sent = client.enqueue(kept("hold", "", "it")).await.unwrap();
    let release = async {
        // By now the next look that nobody asked for is a second away.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let released = Instant::now();
        release.send(()).unwrap();
        released
    };
    let wait = async {
        sent.wait(&client).await.unwrap();
        Instant::now()
    };
    let (released, woken) = tokio::join!(release, wait);
    assert!(woken - released < Duration::from_millis(500), "woken after {:?}", woken - released);
    let stats: String = redis.command(&["INFO", "commandstats"]).await;
    let messages = stats.lines().filter(|line| line.starts_with("cmdstat_publish:calls=1,")).count();
    assert_eq!(messages, 1, "{stats}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_waits_nothing_is_looked_up_and_nothing_published() {
    const TASKS: u32 = 500;
    let (redis, client) = redis().await;
    let router = Router::new().route("t", async |_: Ctx| ()).unwrap();
    for result in client.enqueue_all((0..TASKS).map(|n| Task::new("t", n.to_string()).unwrap())).await {
        result.unwrap();
    }
    redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    redis.until(&["GET", "asynq:{default}:processed"], |done: &Option<u32>| *done == Some(TASKS)).await;
    server.shutdown().await;
    let stats: String = redis.command(&["INFO", "commandstats"]).await;
    let calls: BTreeMap<&str, u64> = stats
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name, rest.split_once(',')?.0.parse().ok()?))
        })
        .collect();
    assert!(!calls.contains_key("publish"), "{calls:?}");
    // Once for each call of the script and not for each task: whether the queue is paused, and whether anybody waits;
    // and no mark is looked for at all.
    assert!(calls["exists"] < u64::from(TASKS) / 4 && calls["zrem"] < u64::from(TASKS) / 4, "{calls:?}");
    assert!(calls["lrem"] >= u64::from(TASKS), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_is_lost_is_made_again() {
    let (redis, client) = redis().await;
    let sent = client.enqueue(kept("t", "", "it")).await.unwrap();
    let cut = async {
        redis.until(&["PUBSUB", "NUMSUB", "asynq:x:ended"], |answer: &(String, u32)| answer.1 == 1).await;
        let killed: u32 = redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        assert!(killed >= 1);
        redis.until(&["PUBSUB", "NUMSUB", "asynq:x:ended"], |answer: &(String, u32)| answer.1 == 1).await;
        let router = Router::new().route("t", async |_: Ctx| Ok::<_, String>(1)).unwrap();
        worker(&client, router, &["default"]).start().await.unwrap()
    };
    let (outcome, server) = tokio::join!(sent.wait(&client).into_future(), cut);
    assert_eq!(outcome.unwrap().result.as_deref(), Some(b"1".as_slice()));
    server.shutdown().await;
    redis.until(&["PUBSUB", "NUMSUB", "asynq:x:ended"], |answer: &(String, u32)| answer.1 == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_outlasts_a_restart_of_redis() {
    let mut redis = asynq_testkit::RedisServer::start_durable().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let sent = client.enqueue(kept("t", "", "it")).await.unwrap();
    let waiting = sent.wait(&client).into_future();
    let restart = async {
        redis.until(&["EXISTS", "asynq:{default}:x:waits"], |marks: &u32| *marks == 1).await;
        // Answers come in order: the one that tells of the mark is there, too.
        client.broker().ping().await.unwrap();
        redis.kill().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        redis.restart().await;
        let router = Router::new().route("t", async |_: Ctx| Ok::<_, String>(1)).unwrap();
        worker(&client, router, &["default"]).start().await.unwrap()
    };
    let (outcome, server) = tokio::join!(waiting, restart);
    assert_eq!(outcome.unwrap().result.as_deref(), Some(b"1".as_slice()));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_look_when_the_time_is_up_says_so() {
    let (mut redis, client) = redis().await;
    let sent = client.enqueue(kept("t", "", "it")).await.unwrap();
    let waiting = sent.wait(&client).timeout(Duration::from_secs(3)).into_future();
    let cut = async {
        redis.until(&["EXISTS", "asynq:{default}:x:waits"], |marks: &u32| *marks == 1).await;
        client.broker().ping().await.unwrap();
        redis.kill().await;
    };
    let (outcome, ()) = tokio::join!(waiting, cut);
    let error = outcome.unwrap_err();
    assert!(
        matches!(&error, WaitError::Broker(broker) if broker.kind() == BrokerErrorKind::Unavailable),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_reads_our_results_and_we_wait_for_gos() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let server = worker(&client, router(), &["results"]).start().await.unwrap();
    let ours = SendParcel::new("ann", 7).enqueue(&client).await.unwrap();
    ours.wait(&client).await.unwrap();
    let seen = go.inspect(&["task", "results", ours.id.as_str()]).await;
    let read = format!("{seen}");
    assert!(read.contains(r#"{\"to\":\"ann\",\"number\":7}"#), "{read}");
    server.shutdown().await;

    let worker = go.serve(&["--queues", "default=1", "--concurrency", "5"]).await;
    let slow = client.enqueue(kept(r"do:sleep=700+result=[1,2,3]", "", "slow")).await.unwrap();
    let fails = client.enqueue(kept("do:sleep=300+fail+error=boom", "", "fails")).await.unwrap();
    let silent = client.enqueue(kept("do:ok", "", "silent")).await.unwrap();
    let limit = Duration::from_secs(60);
    let (slow, fails, silent) = tokio::join!(
        slow.wait(&client).timeout(limit).into_future(),
        fails.wait(&client).timeout(limit).into_future(),
        client.wait::<SendParcel>("default", &silent.id).timeout(limit).into_future(),
    );
    assert_eq!(slow.unwrap().result.as_deref(), Some(b"[1,2,3]".as_slice()));
    assert!(matches!(&fails, Err(WaitError::Failed { error, .. }) if error == "boom"), "{fails:?}");
    assert!(matches!(silent, Err(WaitError::NoResult { .. })), "{silent:?}");
    drop(worker);
}

/// Names and values that something along the way might change.
fn odd_headers() -> BTreeMap<String, String> {
    [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("X-Mixed-Case", "Kept"),
        ("x-mixed-case", "another one"),
        ("", "a name of no length"),
        ("empty", ""),
        ("with space, comma; and = sign", " padded "),
        ("ключ", "значение ☂ \u{1f980}"),
        ("line\nbreak\0nul", "a\r\nb\0c"),
        ("quote\"", "{\"json\": [1, 2]}"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_travel_both_ways_as_they_are() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let worker_of_go = go.serve(&["--queues", "default=1"]).await;
    let ours = odd_headers()
        .into_iter()
        .fold(kept("do:headers", "", "ours"), |task, (name, value)| task.header(name, value));
    let echoed = client.enqueue(ours).await.unwrap().wait(&client).await.unwrap().result.unwrap();
    assert_eq!(serde_json::from_slice::<BTreeMap<String, String>>(&echoed).unwrap(), odd_headers());
    drop(worker_of_go);

    let router =
        Router::new().route("echo", async |ctx: Ctx| Ok::<_, String>(ctx.headers().clone())).unwrap();
    let server = worker(&client, router, &["ours"]).start().await.unwrap();
    let task = json!({
        "type": "echo", "headers": odd_headers(),
        "opts": {"task_id": "theirs", "queue": "ours", "retention_ms": 600_000},
    });
    let answer = go.enqueue(task).await;
    assert_eq!(answer["id"], "theirs", "{answer}");
    let echoed = client.wait::<Task>("ours", "theirs").await.unwrap().result.unwrap();
    assert_eq!(serde_json::from_slice::<BTreeMap<String, String>>(&echoed).unwrap(), odd_headers());
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_knows_all_that_is_stored_of_its_task() {
    let (_redis, client) = redis().await;
    let (tell, mut told) = tokio::sync::mpsc::channel(2);
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let tell = tell.clone();
            async move {
                tell.send((ctx.info(), ctx.unique_key().map(str::to_owned))).await.unwrap();
                if ctx.retried() == 0 { Err("boom") } else { Ok(()) }
            }
        })
        .unwrap();
    let server = worker(&client, router, &["mail"]).start().await.unwrap();
    let deadline = jiff::Timestamp::from_second(4_000_000_000).unwrap();
    let options = TaskOptions::new()
        .queue("mail")
        .task_id("it")
        .max_retry(3)
        .timeout(Duration::from_secs(90))
        .deadline(deadline)
        .retention(Duration::from_secs(60))
        .unique(Duration::from_secs(600));
    let sent =
        client.enqueue(Task::new("t", "payload").unwrap().header("k", "v").options(options)).await.unwrap();
    let (first, lock) = told.recv().await.unwrap();
    let expected = asynq::TaskInfo::clone(&sent);
    assert_eq!(first.state, asynq::TaskState::Active);
    assert_eq!((&first.id, &first.queue, &first.payload), (&expected.id, &expected.queue, &expected.payload));
    assert_eq!((first.headers, first.max_retry, first.retried), (expected.headers, 3, 0));
    assert_eq!((first.timeout, first.deadline), (Duration::from_secs(90), Some(deadline)));
    assert_eq!((first.retention, first.last_error.as_str()), (Duration::from_secs(60), ""));
    assert!(lock.unwrap().starts_with("asynq:{mail}:unique:t:"));
    let (second, _) = told.recv().await.unwrap();
    assert_eq!((second.retried, second.last_error.as_str()), (1, "boom"));
    assert!(second.last_failed_at.is_some());
    server.shutdown().await;
}
