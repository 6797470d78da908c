//! Limits over all servers: rate limits, and the semaphore of Go's x/rate.

use std::sync::Arc;
use std::time::Duration;

use asynq::broker::MemoryBroker;
use asynq::clock::Clock;
use asynq::testing::{Ending, Rig};
use asynq::{
    Client, Ctx, PutBack, QueueName, RateLimit, Router, Semaphore, Server, State, Task, TaskOptions,
    TaskState,
};
use asynq_testkit::{GoPeer, RedisServer, eventually};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;

use crate::support::{gone, in_state, info, redis, worker};

const SECOND: Duration = Duration::from_secs(1);

/// A store in memory on virtual time.
fn in_memory() -> Client {
    let start = Timestamp::from_second(2_000_000_000).unwrap();
    Client::new(Arc::new(MemoryBroker::new(Clock::with_tokio_time(start))))
}

async fn enqueue(client: &Client, ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        let options =
            TaskOptions::new().task_id(id.to_string()).max_retry(0).retention(Duration::from_secs(3600));
        client.enqueue(Task::new("limited", "").unwrap().options(options)).await.unwrap();
    }
}

/// A router whose handler tells when it begins, behind a limit.
fn limited(limit: &RateLimit, told: &mpsc::Sender<(Timestamp, Ctx)>, clock: Clock) -> Router {
    let told = told.clone();
    Router::new()
        .route("limited", move |ctx: Ctx| {
            let (told, now) = (told.clone(), clock.now());
            async move { told.send((now, ctx)).await.unwrap() }
        })
        .unwrap()
        .layer(limit)
}

/// That in no stretch of time as long as the period more than so many began.
fn assert_limited(began: &mut [Timestamp], most: usize, period: Duration) {
    began.sort();
    for pair in began.windows(most + 1) {
        let apart = Duration::try_from(pair[most].duration_since(pair[0])).unwrap();
        assert!(apart >= period, "{} began within {apart:?}", most + 1);
    }
}

/// Two servers of 50 slots each and a thousand tasks.
async fn two_servers_never_exceed_the_limit(client: Client, tasks: u32, most: u32, slack: Duration) {
    let period = SECOND;
    let limit = RateLimit::new("api", most, period).unwrap();
    let (tell, mut told) = mpsc::channel(10_000);
    let clock = client.broker().clock().clone();
    let server = || {
        let router = limited(&limit, &tell, clock.clone());
        worker(&client, router, &["default"]).concurrency(50)
    };
    enqueue(&client, 0..tasks).await;
    let (one, two) = (server().start().await.unwrap(), server().start().await.unwrap());
    let mut began = Vec::new();
    for _ in 0..tasks {
        let (at, ctx) = told.recv().await.unwrap();
        assert_eq!(ctx.retried(), 0);
        began.push(at);
    }
    assert_limited(&mut began, most.try_into().unwrap(), period.saturating_sub(slack));
    for id in 0..tasks {
        in_state(&client, "default", id.to_string(), TaskState::Completed).await;
    }
    one.shutdown().await;
    two.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn two_servers_never_exceed_a_rate_limit_in_memory() {
    two_servers_never_exceed_the_limit(in_memory(), 1_000, 100, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_never_exceed_a_rate_limit_on_redis() {
    let (_redis, client) = redis().await;
    // A handler begins when its worker gets to it, which is some time after it was let in.
    two_servers_never_exceed_the_limit(client, 60, 20, Duration::from_millis(500)).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_over_the_limit_comes_back_in_its_own_turn() {
    let client = in_memory();
    let limit = RateLimit::new("api", 10, Duration::from_secs(60)).unwrap();
    let (tell, mut told) = mpsc::channel(1_000);
    let clock = client.broker().clock().clone();
    enqueue(&client, 0..100).await;
    let server = worker(&client, limited(&limit, &tell, clock.clone()), &["default"]).start().await.unwrap();
    let mut began = Vec::new();
    for _ in 0..10 {
        began.push(told.recv().await.unwrap().0);
    }
    let queue = QueueName::default();
    eventually("the others wait", async || {
        let waiting = client.broker().queue_info(&queue).await.unwrap();
        (waiting.retry == 90).then_some(())
    })
    .await;
    // One after the other: ten come back in each minute, none asks in between.
    let mut dues = std::collections::BTreeMap::new();
    for id in 0..100 {
        let task = info(&client, "default", id.to_string()).await.unwrap();
        assert_eq!((task.retried, task.last_error.as_str()), (0, ""));
        if task.state == TaskState::Retry {
            *dues.entry(task.next_process_at.unwrap()).or_insert(0) += 1;
        }
    }
    assert_eq!(dues.into_values().collect::<Vec<_>>(), [10; 9]);
    for _ in 0..90 {
        began.push(told.recv().await.unwrap().0);
    }
    assert_limited(&mut began, 10, Duration::from_secs(60));
    let took = Duration::try_from(clock.now().duration_since(began[0])).unwrap();
    assert!(took < Duration::from_secs(9 * 61), "each place is used: {took:?}");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_limit_of_its_own() {
    let client = in_memory();
    let limit = RateLimit::new("api", 1, Duration::from_secs(60)).unwrap();
    let limit = limit.key(|ctx| String::from_utf8_lossy(ctx.payload()).into_owned());
    let (tell, mut told) = mpsc::channel(10);
    let clock = client.broker().clock().clone();
    for (id, user) in [("1", "ann"), ("2", "ann"), ("3", "bob")] {
        let task = Task::new("limited", user).unwrap().options(TaskOptions::new().task_id(id));
        client.enqueue(task).await.unwrap();
    }
    let server = worker(&client, limited(&limit, &tell, clock), &["default"]).start().await.unwrap();
    let mut first = [told.recv().await.unwrap().1, told.recv().await.unwrap().1]
        .map(|ctx| String::from_utf8_lossy(ctx.payload()).into_owned());
    first.sort();
    assert_eq!(first, ["ann", "bob"]);
    assert_eq!(told.recv().await.unwrap().1.payload(), "ann");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_deadline_comes_before_its_turn_is_archived() {
    let client = in_memory();
    let limit = RateLimit::new("api", 1, Duration::from_secs(60)).unwrap();
    let (tell, mut told) = mpsc::channel(10);
    let clock = client.broker().clock().clone();
    enqueue(&client, [1]).await;
    let server = worker(&client, limited(&limit, &tell, clock), &["default"]).start().await.unwrap();
    told.recv().await.unwrap();
    let urgent = TaskOptions::new().task_id("urgent").expires_in(Duration::from_secs(30));
    client.enqueue(Task::new("limited", "").unwrap().options(urgent)).await.unwrap();
    let archived = in_state(&client, "default", "urgent", TaskState::Archived).await;
    assert!(archived.last_error.ends_with("its deadline comes before it may run"), "{}", archived.last_error);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_shows_tasks_that_wait_for_a_rate_limit_and_runs_them() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let limit = RateLimit::new("api", 1, Duration::from_secs(3600)).unwrap();
    let (tell, mut told) = mpsc::channel(10);
    let clock = client.broker().clock().clone();
    let server = worker(&client, limited(&limit, &tell, clock), &["default"]).start().await.unwrap();
    let options = TaskOptions::new().unique(Duration::from_secs(7200)).header("tenant", "ann").max_retry(3);
    for id in ["1", "2"] {
        let task = Task::new("limited", id).unwrap().options(options.clone().task_id(id));
        client.enqueue(task).await.unwrap();
    }
    let first = told.recv().await.unwrap().1.task_id().to_string();
    let second = if first == "1" { "2" } else { "1" };
    in_state(&client, "default", second, TaskState::Retry).await;
    let seen = go.inspect(&["task", "default", second]).await;
    assert_eq!(
        (&seen["state"], &seen["retried"], &seen["max_retry"]),
        (&json!("retry"), &json!(0), &json!(3)),
        "{seen}"
    );
    let counters: Vec<Option<i64>> =
        redis.command(&["MGET", "asynq:{default}:processed", "asynq:{default}:failed"]).await;
    assert_eq!(counters, [Some(1), None]);
    server.shutdown().await;
    let locks: Vec<String> = redis.command(&["KEYS", "asynq:{default}:unique:*"]).await;
    assert_eq!(locks.len(), 1, "the task that waits holds its lock");
    let _serving = go.serve(&["--queues", "default=1"]).await;
    go.inspect(&["run", "default", second]).await;
    gone(&client, "default", second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_semaphore_is_shared_with_go() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let go = GoPeer::new(&redis.url());
    let semaphore = Semaphore::new("renders", 2).unwrap().retry_in(SECOND);
    let (tell, mut told) = mpsc::channel(10);
    let (go_on, wait) = tokio::sync::watch::channel(false);
    let router = Router::new()
        .route("limited", move |ctx: Ctx| {
            let (tell, mut wait) = (tell.clone(), wait.clone());
            async move {
                tell.send(ctx.task_id().to_string()).await.unwrap();
                wait.wait_for(|go_on| *go_on).await.unwrap();
            }
        })
        .unwrap()
        .layer(&semaphore);
    assert_eq!(go.semaphore("acquire", "renders", 2, "go-1").await, json!({"acquired": true}));
    enqueue(&client, 1..=2).await;
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let running = told.recv().await.unwrap();
    let waiting = if running == "1" { "2" } else { "1" };
    let info = in_state(&client, "default", waiting, TaskState::Retry).await;
    assert_eq!((info.retried, info.max_retry), (0, 0), "it has not failed");
    assert_eq!(go.semaphore("acquire", "renders", 2, "go-2").await, json!({"acquired": false}));
    let refused = go.semaphore("release", "renders", 2, "go-2").await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("no token found"), "{refused}");
    assert_eq!(go.semaphore("release", "renders", 2, "go-1").await, json!({"released": true}));
    assert_eq!(told.recv().await.unwrap(), waiting);
    go_on.send(true).unwrap();
    for id in ["1", "2"] {
        in_state(&client, "default", id, TaskState::Completed).await;
    }
    let tokens: i64 = redis.command(&["EXISTS", "asynq:sema:renders"]).await;
    assert_eq!(tokens, 0, "both gave theirs back");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_gives_its_permit_back_and_one_that_is_dropped_loses_it_at_its_deadline() {
    let client = in_memory();
    let semaphore = Semaphore::new("s", 1).unwrap().retry_in(SECOND);
    let (tell, mut told) = mpsc::channel(10);
    let router = Router::new()
        .route("limited", move |ctx: Ctx| {
            let tell = tell.clone();
            async move {
                tell.send(ctx.task_id().to_string()).await.unwrap();
                match ctx.task_id().as_str() {
                    "1" => panic!("on purpose"),
                    "2" => std::future::pending().await,
                    _ => {}
                }
            }
        })
        .unwrap()
        .layer(&semaphore);
    let server = Server::builder(&client).router(router).concurrency(1).start().await.unwrap();
    enqueue(&client, [1]).await;
    in_state(&client, "default", "1", TaskState::Archived).await;
    let slow = TaskOptions::new().task_id("2").timeout(Duration::from_secs(20)).max_retry(0);
    client.enqueue(Task::new("limited", "").unwrap().options(slow)).await.unwrap();
    in_state(&client, "default", "2", TaskState::Archived).await;
    enqueue(&client, [3]).await;
    in_state(&client, "default", "3", TaskState::Completed).await;
    let mut ran = Vec::new();
    while let Ok(id) = told.try_recv() {
        ran.push(id);
    }
    assert_eq!(ran, ["1", "2", "3"]);
    server.shutdown().await;
}

#[test]
fn limits_say_what_is_wrong_with_them() {
    let text = |wrong: asynq::Error| wrong.to_string();
    assert_eq!(
        text(RateLimit::new("a", 0, SECOND).unwrap_err()),
        "invalid setting `rate limit`: the number of runs must be from 1 to 10000, got 0"
    );
    assert_eq!(
        text(RateLimit::new("a", 1, SECOND / 2).unwrap_err()),
        "invalid setting `rate limit`: the period must be from 1 second to 31 days, got 500ms"
    );
    assert_eq!(
        text(RateLimit::new(" ", 1, SECOND).unwrap_err()),
        "invalid setting `rate limit`: its name must not be blank"
    );
    assert_eq!(
        text(Semaphore::new("a", 0).unwrap_err()),
        "invalid setting `semaphore`: it must have 1 permit or more, got 0"
    );
}

/// Runs twice in a minute.
#[asynq::job(name = "limits:twice_a_minute", rate = "2/m", retry = 0)]
async fn twice_a_minute(id: u32, ran: Option<State<mpsc::Sender<u32>>>) {
    if let Some(State(ran)) = ran {
        ran.send(id).await.unwrap();
    }
}

#[tokio::test]
async fn a_job_with_a_rate_is_limited_in_a_rig() {
    let (tell, mut told) = mpsc::channel::<u32>(10);
    let rig = Rig::new().state(tell);
    for id in 0..5 {
        TwiceAMinute::new(id).enqueue(&rig).await.unwrap();
    }
    let report = rig.drain().await;
    let put_back = report.attempts().iter().filter(|attempt| attempt.ending == Ending::PutBack).count();
    assert_eq!((report.attempts().len(), put_back), (5, 3), "{report}");
    for succeed in [2, 1] {
        let report = rig.advance(Duration::from_secs(60)).await;
        assert_eq!(report.attempts().len(), succeed, "{report}");
        assert!(report.attempts().iter().all(|attempt| attempt.ending == Ending::Succeeded), "{report}");
    }
    let mut ran = Vec::new();
    while let Ok(id) = told.try_recv() {
        ran.push(id);
    }
    ran.sort_unstable();
    assert_eq!(ran, [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_put_its_task_back() {
    let client = in_memory();
    let (tell, mut told) = mpsc::channel(10);
    let router = Router::new()
        .route("limited", move |_: Ctx| {
            let tell = tell.clone();
            async move {
                let times = tell.max_capacity() - tell.capacity();
                tell.send(()).await.unwrap();
                match times {
                    0..3 => Err(PutBack::new(Duration::from_secs(60), "not yet")),
                    _ => Ok(()),
                }
            }
        })
        .unwrap();
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    enqueue(&client, [1]).await;
    let done = in_state(&client, "default", "1", TaskState::Completed).await;
    assert_eq!((done.retried, done.last_error.as_str()), (0, ""));
    told.close();
    server.shutdown().await;
}
