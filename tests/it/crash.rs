//! Workers that die while they run a task, or stand still. Under load they do so in `tests/faults`.
//!
//! Workers are processes of their own: this test binary again, told by the environment to be one.

use std::time::Duration;

use asynq::{Client, Ctx, Router, Server, Task, TaskInfo, TaskOptions, TaskState};
use asynq_testkit::{Child, GoPeer, RedisServer, eventually, eventually_within};

use crate::support::{in_state, info, redis, telling, worker};

const BE_WORKER: &str = "ASYNQ_TEST_WORKER_URL";

/// Not a test: what a worker process runs. Prints a line for each run of a task, before and after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn be_a_worker_process() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells this process apart")]
    let Ok(url) = std::env::var(BE_WORKER) else { return };
    let client = loop {
        if let Ok(client) = Client::connect(&url).await {
            break client;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let router = Router::new()
        .route("crash:", async |ctx: Ctx| {
            println!("start {}", ctx.task_id());
            let wait: u64 = String::from_utf8_lossy(ctx.payload()).parse().unwrap_or(5);
            tokio::time::sleep(Duration::from_millis(wait)).await;
            println!("end {}", ctx.task_id());
        })
        .unwrap()
        .route("poison", async |ctx: Ctx| {
            println!("start {}", ctx.task_id());
            die();
        })
        .unwrap();
    Server::builder(&client).router(router).concurrency(40).run().await.unwrap();
}

/// Ends this process as a bug in foreign code would: without a word.
fn die() {
    std::process::abort()
}

fn spawn_worker(redis: &RedisServer) -> Child {
    Child::this_test("crash::be_a_worker_process", BE_WORKER, redis.url())
}

/// What is stored of the default queue's tasks.
async fn left(redis: &RedisServer) -> usize {
    redis.command::<Vec<String>>(&["KEYS", "asynq:{default}:t:*"]).await.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tasks_of_a_dead_worker_run_again_and_use_up_no_retry() {
    let (redis, client) = redis().await;
    let task =
        Task::new("crash:long", "600000").unwrap().options(TaskOptions::new().task_id("long").max_retry(0));
    client.enqueue(task).await.unwrap();
    let victim = spawn_worker(&redis);
    victim.line("the task is started", |line| line.contains("start long")).await;
    victim.kill().await;
    let (router, mut told) = telling(&["crash:"]);
    let rescuer = worker(&client, router, &["default"]).start().await.unwrap();
    let ctx = tokio::time::timeout(Duration::from_secs(60), told.recv()).await.unwrap().unwrap();
    assert_eq!((ctx.task_id().as_str(), ctx.retried()), ("long", 0));
    rescuer.shutdown().await;
    assert_eq!(left(&redis).await, 0);
    assert_eq!(redis.command::<i64>(&["EXISTS", "asynq:{default}:failed"]).await, 0, "a crash is no failure");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_kills_its_workers_is_archived_as_a_poison_pill() {
    let (redis, client) = redis().await;
    client
        .enqueue(Task::new("poison", "").unwrap().options(TaskOptions::new().task_id("pill")))
        .await
        .unwrap();
    for _ in 0..3 {
        let mut victim = spawn_worker(&redis);
        victim.line("the pill is taken", |line| line.contains("start pill")).await;
        assert!(!victim.ended().await);
    }
    let (router, mut told) = telling(&["poison"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let pill = in_state(&client, "default", "pill", TaskState::Archived).await;
    assert_eq!(pill.last_error, "poison pill: 3 workers died while they ran this task");
    assert_eq!(pill.retried, 0);
    assert!(told.try_recv().is_err(), "it was not run again");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b34_a_worker_that_was_frozen_settles_nothing_of_another_run() {
    let (redis, client) = redis().await;
    let task = Task::new("crash:frozen", "3000").unwrap();
    client
        .enqueue(task.options(TaskOptions::new().task_id("it").retention(Duration::from_secs(600))))
        .await
        .unwrap();
    let frozen = spawn_worker(&redis);
    frozen.line("the task is started", |line| line.contains("start it")).await;
    frozen.signal("STOP");
    // Another worker takes over and runs it for long.
    let release = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let router = {
        let release = std::sync::Arc::clone(&release);
        Router::new()
            .route("crash:", move |_: Ctx| {
                let release = std::sync::Arc::clone(&release);
                async move {
                    let _held = release.acquire().await;
                    Ok::<_, String>("second")
                }
            })
            .unwrap()
    };
    // With one slot, which that task fills.
    let server = worker(&client, router, &["default"]).concurrency(1).start().await.unwrap();
    let first_run: String = redis.command(&["HGET", "asynq:{default}:t:it", "x_run"]).await;
    let second_run = redis
        .until::<Option<String>>(&["HGET", "asynq:{default}:t:it", "x_run"], |run| {
            run.as_ref().is_some_and(|run| *run != first_run)
        })
        .await;
    frozen.signal("CONT");
    frozen.line("the first run ends", |line| line.contains("end it")).await;
    // The late settlement has been refused once the thawed worker takes the next task.
    client
        .enqueue(Task::new("crash:next", "1").unwrap().options(TaskOptions::new().task_id("next")))
        .await
        .unwrap();
    eventually("the next task is done", async || {
        info(&client, "default", "next").await.is_none().then_some(())
    })
    .await;
    let state: String = redis.command(&["HGET", "asynq:{default}:t:it", "state"]).await;
    let run: Option<String> = redis.command(&["HGET", "asynq:{default}:t:it", "x_run"]).await;
    assert_eq!((state.as_str(), run), ("active", second_run));
    release.add_permits(10);
    let done = in_state(&client, "default", "it", TaskState::Completed).await;
    assert_eq!(done.result.as_deref(), Some(br#""second""#.as_slice()));
    server.shutdown().await;
}

/// A Go worker dies while it runs a task; then `meddle`; then our worker recovers the task.
async fn recovered_from_go(meddle: impl AsyncFnOnce(&RedisServer)) -> TaskInfo {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let go_worker = go.serve(&["--queues", "default=1", "--concurrency", "1"]).await;
    let task = Task::new("do:sleep=600000", "").unwrap().options(TaskOptions::new().task_id("it"));
    client.enqueue(task).await.unwrap();
    go_worker.event("go runs it", |event| event["event"] == "start").await;
    go_worker.kill().await;
    meddle(&redis).await;
    let lease: Option<i64> = redis.command(&["ZSCORE", "asynq:{default}:lease", "it"]).await;
    let (router, _told) = telling(&["never"]);
    let server = worker(&client, router, &["default"])
        .retry_policy(asynq::RetryPolicy::Fixed(Duration::from_secs(600)))
        .start()
        .await
        .unwrap();
    let recovered = eventually_within(Duration::from_secs(60), "our worker recovers the task", async || {
        info(&client, "default", "it").await.filter(|info| info.state == TaskState::Retry)
    })
    .await;
    if let (Some(lease), Some(at)) = (lease, recovered.last_failed_at) {
        println!("recovered {} s after the end of its lease", at.as_second() - lease);
    }
    server.shutdown().await;
    recovered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_task_of_a_dead_go_worker_is_recovered_by_gos_rule() {
    let recovered = recovered_from_go(async |_| ()).await;
    assert_eq!((recovered.last_error.as_str(), recovered.retried), ("asynq: task lease expired", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_active_task_without_a_lease_is_found() {
    let recovered = recovered_from_go(async |redis| {
        redis.command::<i64>(&["DEL", "asynq:{default}:lease"]).await;
    })
    .await;
    assert_eq!((recovered.last_error.as_str(), recovered.retried), ("asynq: task lease expired", 1));
}
