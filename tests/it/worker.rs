//! What a worker does, on a real Redis.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asynq::{Client, Ctx, QueueName, RetryIn, Revoke, Router, Task, TaskOptions, TaskState};
use asynq_testkit::{RedisServer, eventually};
use tokio::sync::Semaphore;

use crate::support::{doing, gone, in_state, info, redis, telling, worker};

fn task(kind: &str, id: &str) -> Task {
    Task::new(kind, id.to_owned()).unwrap().options(TaskOptions::new().task_id(id))
}

fn kept() -> TaskOptions {
    TaskOptions::new().retention(Duration::from_secs(600))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_returns_decides_where_its_task_goes() {
    let (redis, client) = redis().await;
    let router = Router::new()
        .route("ok", async |_: Ctx| Ok::<_, String>(vec![1, 2]))
        .unwrap()
        .route("revoke", async |_: Ctx| Err::<(), _>(Revoke::new("void")))
        .unwrap()
        .route("later", async |_: Ctx| Err::<(), _>(RetryIn::new(Duration::from_secs(500), "busy")))
        .unwrap()
        .route("once", async |_: Ctx| Err::<(), _>(std::io::Error::other("no retries left")))
        .unwrap();
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    client.enqueue(task("ok", "kept").options(kept())).await.unwrap();
    client.enqueue(task("ok", "dropped")).await.unwrap();
    client.enqueue(task("revoke", "void").options(kept())).await.unwrap();
    client.enqueue(task("later", "later")).await.unwrap();
    client.enqueue(task("once", "once").options(TaskOptions::new().max_retry(0))).await.unwrap();
    let done = in_state(&client, "default", "kept", TaskState::Completed).await;
    assert_eq!(done.result.as_deref(), Some(b"[1,2]".as_slice()));
    assert!(done.completed_at.is_some());
    gone(&client, "default", "dropped").await;
    gone(&client, "default", "void").await;
    let later = in_state(&client, "default", "later", TaskState::Retry).await;
    assert_eq!(later.last_error, "busy: retry in 500s");
    let wait = later.next_process_at.unwrap().duration_since(later.last_failed_at.unwrap());
    assert_eq!(wait.as_secs(), 500);
    let once = in_state(&client, "default", "once", TaskState::Archived).await;
    assert_eq!((once.last_error.as_str(), once.retried), ("no retries left", 0));
    server.shutdown().await;
    assert_eq!(
        redis.command::<Vec<i64>>(&["MGET", "asynq:{default}:processed", "asynq:{default}:failed"]).await,
        [5, 2]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_past_its_time_is_dropped_and_its_task_retried() {
    let (_redis, client) = redis().await;
    let router = Router::new().route("slow", async |_: Ctx| std::future::pending::<()>().await).unwrap();
    let server = worker(&client, router, &["default"])
        .retry_policy(asynq::RetryPolicy::Fixed(Duration::from_secs(600)))
        .start()
        .await
        .unwrap();
    client
        .enqueue(task("slow", "timeout").options(TaskOptions::new().timeout(Duration::from_secs(1))))
        .await
        .unwrap();
    let past = asynq::clock::Clock::system().now() - Duration::from_secs(5);
    client.enqueue(task("slow", "deadline").options(TaskOptions::new().deadline(past))).await.unwrap();
    for id in ["timeout", "deadline"] {
        let failed = in_state(&client, "default", id, TaskState::Retry).await;
        assert_eq!((failed.last_error.as_str(), failed.retried), ("context deadline exceeded", 1));
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_task_runs_when_it_is_due() {
    let (_redis, client) = redis().await;
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let options = TaskOptions::new().process_in(Duration::from_secs(2));
    let due = client.enqueue(task("t", "later").options(options)).await.unwrap().next_process_at.unwrap();
    assert_eq!(told.recv().await.unwrap().task_id(), "later");
    let started = asynq::clock::Clock::system().now();
    // Scores are whole seconds: it may be up to one early.
    assert!(started.duration_since(due).as_secs_f64() > -1.0, "due {due}, started {started}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_blmove_a_worker_polls() {
    let redis = RedisServer::start_with(&["--rename-command", "BLMOVE", ""]).await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    for id in ["one", "two"] {
        client.enqueue(task("t", id)).await.unwrap();
        assert_eq!(told.recv().await.unwrap().task_id(), id);
    }
    server.shutdown().await;
}

/// Commands that an idle worker of these queues sends in ten seconds, those of its scripts included.
async fn idle_commands(queues: &[&str]) -> u64 {
    let (redis, client) = redis().await;
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, queues).start().await.unwrap();
    for queue in queues {
        client.enqueue(Task::new("t", "").unwrap().options(TaskOptions::new().queue(*queue))).await.unwrap();
        told.recv().await.unwrap();
    }
    eventually("nothing keeps it busy any more", async || {
        redis.command::<Vec<String>>(&["KEYS", "asynq:*:x:owners"]).await.is_empty().then_some(())
    })
    .await;
    redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let stats: String = redis.command(&["INFO", "commandstats"]).await;
    println!("idle with {} queues: {stats}", queues.len());
    server.shutdown().await;
    let calls =
        stats.lines().filter(|line| line.starts_with("cmdstat_") && !line.starts_with("cmdstat_config"));
    calls.map(|line| line.split(['=', ',']).nth(1).unwrap().parse::<u64>().unwrap()).sum()
}

/// Under three a second, with one queue or with four. At both ends of the time that is counted there may be what comes
/// only every few seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_asks_redis_little_however_many_its_queues() {
    let (one, four) = tokio::join!(idle_commands(&["a"]), idle_commands(&["a", "b", "c", "d"]));
    println!("commands of an idle worker in ten seconds: {one} with one queue, {four} with four");
    assert!(one < 30 + 6, "{one} with one queue");
    assert!(four < 30 + 9, "{four} with four queues");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrency_is_never_exceeded_and_always_used() {
    // One call to Redis at a time, and two.
    for concurrency in [7, 40] {
        concurrency_is_never_exceeded_and_used(concurrency).await;
    }
}

async fn concurrency_is_never_exceeded_and_used(concurrency: usize) {
    let (_redis, client) = redis().await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let router = {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        Router::new()
            .route("t", move |_: Ctx| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                }
            })
            .unwrap()
    };
    let ids: Vec<String> = (0..200).map(|n| format!("t{n}")).collect();
    client.enqueue_all(ids.iter().map(|id| task("t", id))).await;
    let server = worker(&client, router, &["default"]).concurrency(concurrency).start().await.unwrap();
    for id in &ids {
        gone(&client, "default", id).await;
    }
    server.shutdown().await;
    assert_eq!(most.load(Ordering::SeqCst), concurrency);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_served_by_weight_or_strictly() {
    const EACH: usize = 1_200;
    for strict in [false, true] {
        let (_redis, client) = redis().await;
        for queue in ["high", "low"] {
            let tasks =
                (0..EACH).map(|_| Task::new("t", "").unwrap().options(TaskOptions::new().queue(queue)));
            client.enqueue_all(tasks).await;
        }
        let (router, mut told) = telling(&["t"]);
        let server = worker(&client, router, &["high"])
            .queues([("high", 3), ("low", 1)])
            .strict(strict)
            .start()
            .await
            .unwrap();
        let mut first: HashMap<String, usize> = HashMap::new();
        for _ in 0..EACH {
            *first.entry(told.recv().await.unwrap().queue().as_str().to_owned()).or_default() += 1;
        }
        server.shutdown().await;
        let low = first.get("low").copied().unwrap_or(0);
        if strict {
            // What was leased in one call may end in any order.
            assert!(low <= 10, "{low} of the first {EACH} are of the low queue");
        } else {
            // 300 expected, standard deviation 15: ten of them either way.
            assert!((150..=450).contains(&low), "{low} of the first {EACH} are of the low queue");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_queue_waits_and_others_do_not() {
    let (_redis, client) = redis().await;
    let (paused, open) = (QueueName::new("paused").unwrap(), "open");
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["paused", open]).start().await.unwrap();
    assert!(client.broker().pause(&paused).await.unwrap());
    assert!(!client.broker().pause(&paused).await.unwrap(), "it was paused already");
    client.enqueue(task("t", "held").options(TaskOptions::new().queue("paused"))).await.unwrap();
    for n in 0..20 {
        let id = format!("open-{n}");
        client.enqueue(task("t", &id).options(TaskOptions::new().queue(open))).await.unwrap();
        assert_eq!(told.recv().await.unwrap().task_id(), id.as_str());
    }
    assert_eq!(info(&client, "paused", "held").await.unwrap().state, TaskState::Pending);
    assert!(client.broker().resume(&paused).await.unwrap());
    assert_eq!(told.recv().await.unwrap().task_id(), "held");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b16_shutdown_lets_running_tasks_finish_and_puts_the_rest_back() {
    let (redis, client) = redis().await;
    let started = Arc::new(Semaphore::new(0));
    let router = {
        let started = Arc::clone(&started);
        Router::new()
            .route("t", move |ctx: Ctx| {
                let started = Arc::clone(&started);
                async move {
                    started.add_permits(1);
                    match ctx.task_id().as_str() {
                        "short" => tokio::time::sleep(Duration::from_millis(200)).await,
                        _ => std::future::pending().await,
                    }
                }
            })
            .unwrap()
    };
    let server = worker(&client, router, &["default"])
        .concurrency(2)
        .shutdown_timeout(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    for id in ["short", "long", "waiting"] {
        client.enqueue(task("t", id).options(TaskOptions::new().max_retry(0))).await.unwrap();
    }
    started.acquire_many(2).await.unwrap().forget();
    server.stop();
    server.shutdown().await;
    assert!(info(&client, "default", "short").await.is_none(), "it finished");
    for id in ["long", "waiting"] {
        let info = info(&client, "default", id).await.unwrap();
        assert_eq!((info.state, info.retried), (TaskState::Pending, 0), "{id}");
    }
    let next: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:pending", "0", "-1"]).await;
    assert_eq!(next, ["waiting", "long"], "what was put back is next");
    let left: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert!(
        !left.iter().any(|key| key.contains("servers") || key.contains(":x:") || key.contains("lease")),
        "{left:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_handler_may_finish_and_a_stubborn_one_is_dropped() {
    let (_redis, client) = redis().await;
    let router = Router::new()
        .route("polite", async |ctx: Ctx| {
            ctx.cancelled().await;
            Ok::<_, String>("finished all the same")
        })
        .unwrap()
        .route("stubborn", async |_: Ctx| std::future::pending::<()>().await)
        .unwrap();
    let server = worker(&client, router, &["default"])
        .retry_policy(asynq::RetryPolicy::Fixed(Duration::from_secs(600)))
        .cancel_grace(Duration::from_millis(100))
        .start()
        .await
        .unwrap();
    for id in ["polite", "stubborn"] {
        client.enqueue(task(id, id).options(kept())).await.unwrap();
        in_state(&client, "default", id, TaskState::Active).await;
        eventually("the task is not active any more", async || {
            client.broker().publish_cancellation(&asynq::TaskId::new(id).unwrap()).await.unwrap();
            (info(&client, "default", id).await.unwrap().state != TaskState::Active).then_some(())
        })
        .await;
    }
    let polite = info(&client, "default", "polite").await.unwrap();
    assert_eq!(
        (polite.state, polite.result.as_deref()),
        (TaskState::Completed, Some(b"\"finished all the same\"".as_slice()))
    );
    let stubborn = info(&client, "default", "stubborn").await.unwrap();
    assert_eq!((stubborn.state, stubborn.last_error.as_str()), (TaskState::Retry, "context canceled"));
    server.shutdown().await;
}

#[test]
fn a_handler_that_blocks_its_thread_keeps_its_task() {
    // One thread for everything but the keepers: nothing else of this server runs while the handler sleeps.
    let blocked = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let others = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (redis, client) = others.block_on(redis());
    let runs = Arc::new(AtomicUsize::new(0));
    let router = |runs: &Arc<AtomicUsize>| {
        let runs = Arc::clone(runs);
        Router::new()
            .route("blocks", move |_: Ctx| {
                runs.fetch_add(1, Ordering::SeqCst);
                #[expect(clippy::disallowed_methods, reason = "what this test is about")]
                std::thread::sleep(Duration::from_secs(11));
                std::future::ready(())
            })
            .unwrap()
    };
    let url = redis.url();
    others.block_on(client.enqueue(task("blocks", "it"))).unwrap();
    let (is_gone, told_gone) = tokio::sync::oneshot::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            others.block_on(async {
                eventually("the task runs", async || (runs.load(Ordering::SeqCst) > 0).then_some(())).await;
                // Takes over whatever looks orphaned.
                let other = worker(&client, router(&runs), &["default"]).start().await.unwrap();
                gone(&client, "default", "it").await;
                is_gone.send(()).unwrap();
                other.shutdown().await;
            });
        });
        blocked.block_on(async {
            let client = Client::connect(&url).await.unwrap();
            let server = worker(&client, router(&runs), &["default"]).start().await.unwrap();
            // Asked from here, Redis would seem to take as long as the handler to answer.
            told_gone.await.unwrap();
            server.shutdown().await;
        });
    });
    assert_eq!(runs.load(Ordering::SeqCst), 1, "nobody took the task over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_go_by_the_servers_policy() {
    let (_redis, client) = redis().await;
    let (router, mut told) =
        doing(&["t"], |ctx| if ctx.retried() < 2 { Err("again".into()) } else { Ok(()) });
    let policy = asynq::RetryPolicy::Custom(Arc::new(|task_type, retried, error| {
        assert_eq!((task_type, error.to_string().as_str()), ("t", "again"));
        Duration::from_secs(1 + u64::from(retried.unsigned_abs()))
    }));
    let server = worker(&client, router, &["default"]).retry_policy(policy).start().await.unwrap();
    client.enqueue(task("t", "it")).await.unwrap();
    for retried in 0..3 {
        assert_eq!(told.recv().await.unwrap().retried(), retried);
    }
    gone(&client, "default", "it").await;
    server.shutdown().await;
}
