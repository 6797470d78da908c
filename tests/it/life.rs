//! The life of a server: ready or not, its states, several side by side, and shutdown under load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::{Client, Ctx, Health, Router, Server, ServerStatus, Task, TaskOptions, TaskState};
use asynq_testkit::{eventually, eventually_within};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{Log, in_state, info, redis, telling, worker};

fn task(id: &str) -> Task {
    Task::new("t", "").unwrap().options(TaskOptions::new().task_id(id))
}

#[tokio::test]
async fn a_redis_that_may_drop_tasks_is_told_of_at_the_start() {
    let (redis, client) = redis().await;
    let log = Log::default();
    let _logging = log.listen();
    let start = async || worker(&client, Router::new(), &["default"]).start().await.unwrap();
    redis.command::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    start().await.shutdown().await;
    assert!(!log.text().contains("maxmemory"), "without a limit nothing is dropped: {}", log.text());
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", "100mb"]).await;
    start().await.shutdown().await;
    assert!(log.text().contains("`maxmemory-policy allkeys-lru`"), "{}", log.text());
    redis.command::<()>(&["ACL", "SETUSER", "default", "-info"]).await;
    start().await.shutdown().await;
    assert_eq!(log.text().matches("maxmemory-policy").count(), 1, "whoever may not ask is not told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_ready_while_it_takes_tasks_and_its_broker_answers() {
    let (mut redis, client) = redis().await;
    let (router, _told) = telling(&["t"]);
    let told = Arc::new(Mutex::new(Vec::<Health>::new()));
    let tell = Arc::clone(&told);
    let server = worker(&client, router, &["default"])
        .health_interval(Duration::from_millis(50))
        .health_check(move |health| {
            tell.lock().unwrap().push(health.clone());
            assert!(health.error.is_none(), "a callback that panics does no harm");
        })
        .start()
        .await
        .unwrap();
    let handle = server.handle();
    assert!(handle.is_ready());
    assert_eq!((handle.status(), handle.id()), (ServerStatus::Active, server.id()));
    handle.ping().await.unwrap();
    eventually("the clocks are compared", async || handle.health().clock_offset).await;

    redis.kill().await;
    eventually("it is not ready", async || (!handle.is_ready()).then_some(())).await;
    assert!(handle.ping().await.is_err());
    assert!(handle.health().error.is_some());
    redis.restart().await;
    eventually_within(Duration::from_secs(60), "it is ready again", async || handle.is_ready().then_some(()))
        .await;
    let (healthy, ill) = {
        let told = told.lock().unwrap();
        let ill = told.iter().filter(|health| health.error.is_some()).count();
        (told.len() - ill, ill)
    };
    assert!(healthy > 0 && ill > 0, "{healthy} {ill}");

    server.stop();
    assert_eq!((handle.is_ready(), handle.status()), (false, ServerStatus::Stopped));
    server.shutdown().await;
    assert_eq!(handle.status(), ServerStatus::Closed);
    handle.stop();
    assert_eq!(handle.status(), ServerStatus::Closed, "a closed server does not come back");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_server_finishes_what_runs_and_takes_nothing_more() {
    let client = Client::in_memory();
    let release = Arc::new(tokio::sync::Semaphore::new(0));
    let released = Arc::clone(&release);
    let handler = move |_: Ctx| {
        let released = Arc::clone(&released);
        async move { released.acquire().await.unwrap().forget() }
    };
    let router = Router::new().route("t", handler).unwrap();
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    client.enqueue(task("runs")).await.unwrap();
    in_state(&client, "default", "runs", TaskState::Active).await;
    server.stop();
    client.enqueue(task("waits")).await.unwrap();
    release.add_permits(2);
    crate::support::gone(&client, "default", "runs").await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(info(&client, "default", "waits").await.unwrap().state, TaskState::Pending);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_dropped_is_closed_to_its_handles() {
    let client = Client::in_memory();
    let server = Server::builder(&client).start().await.unwrap();
    let handle = server.handle();
    drop(server);
    assert_eq!((handle.status(), handle.is_ready()), (ServerStatus::Closed, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_in_one_process_serve_one_redis() {
    let (redis, client) = redis().await;
    let (mut servers, mut told) = (Vec::new(), Vec::new());
    for (queue, kind) in [("one", "a"), ("two", "b"), ("both", "t"), ("both", "t")] {
        let (router, receiver) = telling(&[kind]);
        servers.push(worker(&client, router, &[queue]).concurrency(3).start().await.unwrap());
        told.push(receiver);
    }
    let seen: i64 = redis.until(&["ZCARD", "asynq:servers"], |&count: &i64| count == 4).await;
    assert_eq!(seen, 4);
    for n in 0..300 {
        let (queue, kind) = [("one", "a"), ("two", "b"), ("both", "t")][n % 3];
        let options = TaskOptions::new().queue(queue).task_id(n.to_string());
        client.enqueue(Task::new(kind, "").unwrap().options(options)).await.unwrap();
    }
    for receiver in &mut told[..2] {
        for _ in 0..100 {
            receiver.recv().await.unwrap();
        }
    }
    let mut runs = HashMap::new();
    let (mut one, mut two) = (told.remove(2), told.remove(2));
    for _ in 0..100 {
        let ctx = tokio::select! {
            Some(ctx) = one.recv() => ctx,
            Some(ctx) = two.recv() => ctx,
        };
        *runs.entry(ctx.task_id().to_string()).or_insert(0) += 1;
    }
    assert!(runs.len() == 100 && runs.values().all(|&count| count == 1), "{runs:?}");
    for server in servers {
        server.shutdown().await;
    }
    assert_eq!(redis.command::<i64>(&["ZCARD", "asynq:servers"]).await, 0);
}

/// Servers come and go while tasks keep coming. Each task runs to its end once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_under_load_loses_nothing_and_runs_nothing_twice() {
    const TASKS: usize = 3_000;
    let (redis, client) = redis().await;
    let ended = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let router = |ended: &Arc<Mutex<HashMap<String, usize>>>| {
        let ended = Arc::clone(ended);
        let handler = move |ctx: Ctx| {
            let ended = Arc::clone(&ended);
            async move {
                sleep(Duration::from_millis(2)).await;
                *ended.lock().unwrap().entry(ctx.task_id().to_string()).or_default() += 1;
            }
        };
        Router::new().route("t", handler).unwrap()
    };
    let mut producer = JoinSet::new();
    let enqueuer = client.clone();
    producer.spawn(async move {
        for n in 0..TASKS {
            enqueuer.enqueue(task(&n.to_string())).await.unwrap();
        }
    });
    let mut lives = 0;
    while ended.lock().unwrap().len() < TASKS {
        let server = || worker(&client, router(&ended), &["default"]).concurrency(20).start();
        let (one, two) = (server().await.unwrap(), server().await.unwrap());
        let before = ended.lock().unwrap().len();
        eventually("some tasks have run", async || {
            let now = ended.lock().unwrap().len();
            (now >= before + 150 || now == TASKS).then_some(())
        })
        .await;
        tokio::join!(one.shutdown(), two.shutdown());
        lives += 2;
        let active: i64 = redis.command(&["LLEN", "asynq:{default}:active"]).await;
        assert_eq!(active, 0, "what ended in time is settled, and the rest is put back");
    }
    producer.join_all().await;
    let ended = ended.lock().unwrap().clone();
    let twice: Vec<_> = ended.iter().filter(|&(_, &runs)| runs > 1).collect();
    println!("{} tasks in {lives} lives", ended.len());
    assert!(twice.is_empty(), "ran more than once: {twice:?}");
    let left: Vec<String> = redis.command(&["KEYS", "asynq:{default}:t:*"]).await;
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(redis.command::<usize>(&["GET", "asynq:{default}:processed"]).await, TASKS);
}

/// Tasks keep ending while Redis refuses every settlement. Go restarts the timer of its repairs at each of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b2_settlements_that_fail_are_repaired_while_others_keep_failing() {
    let (redis, client) = redis().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&runs);
    let handler = move |_: Ctx| {
        let runs = Arc::clone(&counting);
        async move {
            sleep(Duration::from_millis(300)).await;
            runs.fetch_add(1, Ordering::SeqCst);
        }
    };
    let router = Router::new().route("t", handler).unwrap();
    let server = worker(&client, router, &["default"]).concurrency(50).start().await.unwrap();
    client.enqueue_all((0..50).map(|n| task(&n.to_string()))).await;
    redis.until(&["LLEN", "asynq:{default}:active"], |&active: &i64| active == 50).await;
    redis.command::<()>(&["ACL", "SETUSER", "default", "-evalsha"]).await;
    eventually("all have ended", async || (runs.load(Ordering::SeqCst) == 50).then_some(())).await;
    let active: i64 = redis.command(&["LLEN", "asynq:{default}:active"]).await;
    assert_eq!(active, 50, "none could be settled");
    redis.command::<()>(&["ACL", "SETUSER", "default", "+evalsha"]).await;
    redis
        .until(&["EXISTS", "asynq:{default}:active", "asynq:{default}:lease"], |&keys: &i64| keys == 0)
        .await;
    assert_eq!(redis.command::<usize>(&["GET", "asynq:{default}:processed"]).await, 50);
    assert_eq!(runs.load(Ordering::SeqCst), 50, "none ran again");
    server.shutdown().await;
}

/// Go asks again at once when Redis refuses a dequeue, and logs each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b17_a_server_backs_off_while_redis_refuses_its_calls() {
    let (redis, client) = redis().await;
    let (router, mut told) = telling(&["t"]);
    redis.command::<()>(&["ACL", "SETUSER", "default", "-evalsha"]).await;
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let refused = async || {
        let stats: String = redis.command(&["INFO", "errorstats"]).await;
        let counts =
            stats.lines().filter_map(|line| line.rsplit_once("count=")?.1.trim().parse::<u64>().ok());
        counts.sum::<u64>()
    };
    eventually("Redis refuses", async || (refused().await > 0).then_some(())).await;
    sleep(Duration::from_secs(2)).await;
    let count = refused().await;
    assert!(count < 100, "{count} refused calls in two seconds");
    redis.command::<()>(&["ACL", "SETUSER", "default", "+evalsha"]).await;
    client.enqueue(task("it")).await.unwrap();
    assert_eq!(told.recv().await.unwrap().task_id(), "it");
    server.shutdown().await;
}

/// Go's beats go through the loop that starts and ends workers, and writes to Redis. Ours go on while every thread
/// that runs handlers is blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b18_beats_go_on_while_dispatch_stands_still() {
    let (redis, client) = redis().await;
    let (blocks, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let url = redis.url();
    let (in_server, released) = (Arc::clone(&blocks), Arc::clone(&release));
    let stopped = Arc::new(AtomicBool::new(false));
    let is_stopped = Arc::clone(&stopped);
    let process = std::thread::spawn(move || {
        // One thread: while the handler holds it, nothing else of this runtime moves.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let client = Client::connect(&url).await.unwrap();
            let handler = move |_: Ctx| {
                in_server.fetch_add(1, Ordering::SeqCst);
                while !released.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                    #[expect(clippy::disallowed_methods, reason = "what this test is about")]
                    std::thread::sleep(Duration::from_millis(5));
                }
                std::future::ready(())
            };
            let router = Router::new().route("blocks", handler).unwrap();
            let server = worker(&client, router, &["default"]).start().await.unwrap();
            while !is_stopped.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(10)).await;
            }
            server.shutdown().await;
        });
    });
    client.enqueue(Task::new("blocks", "").unwrap()).await.unwrap();
    eventually("it blocks", async || (blocks.load(Ordering::SeqCst) == 1).then_some(())).await;
    let beat = async || {
        redis.command::<Vec<String>>(&["ZRANGE", "asynq:{default}:x:owners", "0", "-1", "WITHSCORES"]).await
    };
    let state =
        async || redis.command::<Vec<String>>(&["ZRANGE", "asynq:servers", "0", "-1", "WITHSCORES"]).await;
    let before = (beat().await, state().await);
    eventually("a later beat and a later state", async || {
        let now = (beat().await, state().await);
        (now.0 != before.0 && now.1 != before.1).then_some(())
    })
    .await;
    assert_eq!(blocks.load(Ordering::SeqCst), 1);
    release.store(true, Ordering::SeqCst);
    stopped.store(true, Ordering::SeqCst);
    process.join().unwrap();
}
