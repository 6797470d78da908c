//! Tasks taken ahead of free slots, with a Redis that is some way off.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::{Client, Ctx, Router, ServerBuilder, Task, TaskOptions, TaskState};
use asynq_testkit::{Fault, Proxy, RedisServer, eventually};
use tokio::sync::Semaphore;

use crate::support::{gone, in_state, info, redis, telling, worker};

/// What the tasks of a server did.
#[derive(Clone)]
struct Seen {
    /// Task IDs, in the order in which they began.
    begun: Arc<Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    /// A task called `stuck` ends with one of these.
    permits: Arc<Semaphore>,
}

impl Seen {
    fn begun(&self) -> Vec<String> {
        self.begun.lock().unwrap().clone()
    }
}

/// A server ten milliseconds away from Redis, with so many slots.
async fn distant(redis: &RedisServer, slots: usize) -> (Proxy, ServerBuilder, Seen) {
    let proxy = Proxy::start(redis.port()).await;
    proxy.set(Fault::Slow(Duration::from_millis(5)));
    let client = Client::connect(&proxy.url()).await.unwrap();
    let seen = Seen {
        begun: Arc::default(),
        running: Arc::default(),
        most: Arc::default(),
        permits: Arc::new(Semaphore::new(0)),
    };
    let noting = seen.clone();
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let seen = noting.clone();
            async move {
                let running = seen.running.fetch_add(1, Ordering::SeqCst) + 1;
                seen.most.fetch_max(running, Ordering::SeqCst);
                seen.begun.lock().unwrap().push(ctx.task_id().to_string());
                if ctx.task_id() == "stuck" {
                    seen.permits.acquire().await.unwrap().forget();
                }
                seen.running.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .unwrap();
    (proxy, worker(&client, router, &["q"]).concurrency(slots), seen)
}

async fn enqueue(client: &Client, ids: impl Iterator<Item = String>) {
    let task = |id| Task::new("t", "").unwrap().options(TaskOptions::new().queue("q").task_id(id));
    for result in client.enqueue_all(ids.map(task)).await {
        result.unwrap();
    }
}

fn ids(name: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |n| format!("{name}{n}"))
}

/// Quick tasks, one that is stuck, and more quick ones: the stuck one runs, and some of the others wait for its slot.
async fn held_up(redis: &RedisServer, client: &Client) -> (Proxy, asynq::Server, Seen) {
    let all = ids("first", 100).chain(["stuck".to_owned()]).chain(ids("then", 50));
    enqueue(client, all).await;
    let (proxy, server, seen) = distant(redis, 1).await;
    let server = server.start().await.unwrap();
    let running = |seen: &Seen| seen.begun().last().is_some_and(|id| id == "stuck");
    eventually("the stuck one runs", async || running(&seen).then_some(())).await;
    (proxy, server, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_run_in_order_and_never_more_than_there_are_slots() {
    for slots in [1, 3] {
        let (redis, client) = redis().await;
        enqueue(&client, ids("t", 300)).await;
        let (_proxy, server, seen) = distant(&redis, slots).await;
        redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;
        let server = server.start().await.unwrap();
        eventually("all have run", async || (seen.begun().len() == 300).then_some(())).await;
        server.shutdown().await;
        let (mut begun, mut all) = (seen.begun(), ids("t", 300).collect::<Vec<_>>());
        if slots > 1 {
            begun.sort_unstable();
            all.sort_unstable();
        }
        assert_eq!(begun, all);
        assert!(seen.most.load(Ordering::SeqCst) <= slots);
        assert!(redis.command::<Vec<String>>(&["KEYS", "asynq:{q}:t:*"]).await.is_empty());
        let scripts = redis.calls("evalsha").await;
        assert!(scripts > 0 && scripts < 300 / slots, "{scripts} calls for 300 tasks in {slots} slots");
    }
}

/// A call for each task, where a server holds nothing but what runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_is_taken_ahead_where_none_may_be() {
    let (redis, client) = redis().await;
    enqueue(&client, ids("t", 30)).await;
    let (_proxy, server, seen) = distant(&redis, 1).await;
    redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;
    let server = server.prefetch(0).start().await.unwrap();
    eventually("all have run", async || (seen.begun().len() == 30).then_some(())).await;
    server.shutdown().await;
    assert!(redis.calls("evalsha").await >= 30);
}

/// What waits counts as what runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_keep_to_limits() {
    let (redis, client) = redis().await;
    enqueue(&client, ids("t", 100)).await;
    let (_proxy, server, seen) = distant(&redis, 5).await;
    let server = server.queue_concurrency("q", 2).start().await.unwrap();
    eventually("all have run", async || (seen.begun().len() == 100).then_some(())).await;
    server.shutdown().await;
    assert!(seen.most.load(Ordering::SeqCst) <= 2);
}

/// Which tasks another server may run is not up to one that is busy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_behind_a_slow_task_goes_back_for_others() {
    let (redis, client) = redis().await;
    let (_proxy, server, seen) = held_up(&redis, &client).await;
    let (router, mut told) = telling(&["t"]);
    let other = worker(&client, router, &["q"]).concurrency(1).start().await.unwrap();
    let mut others = Vec::new();
    for _ in 0..50 {
        let ctx = tokio::time::timeout(Duration::from_secs(30), told.recv()).await.unwrap().unwrap();
        assert_eq!(ctx.retried(), 0);
        others.push(ctx.task_id().to_string());
    }
    others.sort_unstable();
    let mut all: Vec<_> = ids("then", 50).collect();
    all.sort_unstable();
    assert_eq!(others, all);
    assert_eq!(info(&client, "q", "stuck").await.unwrap().state, TaskState::Active);
    seen.permits.add_permits(1);
    gone(&client, "q", "stuck").await;
    assert_eq!(seen.begun().len(), 101);
    server.shutdown().await;
    other.shutdown().await;
}

/// One that is told to take no more keeps what runs, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_stop_what_waits_goes_back_in_its_old_order() {
    let (redis, client) = redis().await;
    let (_proxy, server, seen) = held_up(&redis, &client).await;
    server.stop();
    eventually("only the stuck one is active", async || {
        let active: Vec<String> = redis.command(&["LRANGE", "asynq:{q}:active", "0", "-1"]).await;
        (active == ["stuck"]).then_some(())
    })
    .await;
    let mut pending: Vec<String> = redis.command(&["LRANGE", "asynq:{q}:pending", "0", "-1"]).await;
    pending.reverse();
    assert_eq!(pending, ids("then", 50).collect::<Vec<_>>());
    for id in &pending {
        let task = info(&client, "q", id).await.unwrap();
        assert_eq!((task.retried, task.last_error.as_str()), (0, ""));
    }
    seen.permits.add_permits(1);
    gone(&client, "q", "stuck").await;
    server.shutdown().await;
    assert_eq!(seen.begun().len(), 101);
}

/// Those that wait are held as those that run are: a server that dies leaves them to the others, which count no failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_of_a_dead_server_run_elsewhere() {
    let (redis, client) = redis().await;
    let (proxy, server, seen) = held_up(&redis, &client).await;
    proxy.set(Fault::Away);
    drop(server);
    let (router, mut told) = telling(&["t"]);
    let other = worker(&client, router, &["q"]).start().await.unwrap();
    eventually("nothing is left", async || {
        redis.command::<Vec<String>>(&["KEYS", "asynq:{q}:t:*"]).await.is_empty().then_some(())
    })
    .await;
    other.shutdown().await;
    let mut others = Vec::new();
    while let Ok(ctx) = told.try_recv() {
        assert_eq!(ctx.retried(), 0);
        others.push(ctx.task_id().to_string());
    }
    for id in ids("then", 50).chain(["stuck".to_owned()]) {
        assert_eq!(others.iter().filter(|other| **other == id).count(), 1, "{id} of {others:?}");
    }
    assert_eq!(seen.begun().len(), 101);
}

/// None is taken ahead while tasks take long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_tasks_have_none_behind_them() {
    let (redis, client) = redis().await;
    enqueue(&client, ["stuck".to_owned()].into_iter().chain(ids("then", 5))).await;
    let (_proxy, server, seen) = distant(&redis, 1).await;
    let server = server.start().await.unwrap();
    in_state(&client, "q", "stuck", TaskState::Active).await;
    eventually("it has begun", async || (seen.begun() == ["stuck"]).then_some(())).await;
    let active: usize = redis.command(&["LLEN", "asynq:{q}:active"]).await;
    assert_eq!(active, 1);
    seen.permits.add_permits(1);
    eventually("all have run", async || (seen.begun().len() == 6).then_some(())).await;
    server.shutdown().await;
}
