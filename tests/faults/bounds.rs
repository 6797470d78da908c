//! What must not grow: the memory of a worker, what waits while Redis is away, and what is left in Redis.

use std::time::{Duration, Instant};

use asynq::broker::BrokerErrorKind;
use asynq::{
    Aggregator, BoxError, Client, ConnectOptions, Ctx, Error, GroupSettings, PeriodicTask, PutBack,
    RateLimit, RetryPolicy, Router, Scheduler, Semaphore, Server, Task, TaskOptions,
};
use asynq_testkit::load::Ledger;
use asynq_testkit::{RedisServer, eventually_within};
use futures_util::future::join_all;

use crate::process;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_of_a_worker_is_flat() {
    flat(50_000).await;
}

/// `cargo test --all-features --test faults -- --ignored --nocapture a_million`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn the_memory_of_a_worker_is_flat_over_a_million_tasks() {
    flat(1_000_000).await;
}

/// A worker process runs so many tasks: it has as much memory at their end as after the first tenth.
async fn flat(tasks: usize) {
    const PIECE: usize = 5_000;
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let worker = process::spawn(&redis.url());
    let (ledger, mut early) = (Ledger::default(), 0);
    for first in (0..tasks).step_by(PIECE) {
        let task = |id: usize| {
            Task::new("load:done", "0").unwrap().options(TaskOptions::new().task_id(id.to_string()))
        };
        for stored in client.enqueue_all((first..first + PIECE).map(task)).await {
            stored.unwrap();
        }
        eventually_within(Duration::from_secs(60), "the piece is done", async || {
            ledger.read(worker.take_lines());
            (ledger.ended() == first + PIECE).then_some(())
        })
        .await;
        if first + PIECE == tasks / 10 {
            early = worker.memory();
        }
    }
    let late = worker.memory();
    eprintln!("a worker has {early} KiB after {} tasks and {late} KiB after {tasks}", tasks / 10);
    assert!(late < early + 2_048, "{early} KiB, then {late} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_wait_for_a_redis_that_is_away_are_bounded_and_end_together() {
    const MOST: usize = 300;
    let limit = Duration::from_millis(500);
    let redis = RedisServer::start().await;
    let options = ConnectOptions::new(&redis.url()).unwrap().max_waiting(MOST);
    let options = options.connect_timeout(limit).response_timeout(limit);
    let client = Client::connect_with(options).await.unwrap();
    redis.freeze();
    // First on the connection that is there, then for one that cannot be made.
    for _ in 0..2 {
        let begun = Instant::now();
        let calls = (0..1_000).map(|_| client.enqueue(Task::new("t", "").unwrap()));
        let ends = join_all(calls).await;
        let kinds = ends.iter().map(|end| match end {
            Err(Error::Broker(broker)) => broker.kind(),
            other => panic!("{other:?}"),
        });
        let (mut busy, mut unavailable) = (0, 0);
        for kind in kinds {
            match kind {
                BrokerErrorKind::Busy => busy += 1,
                BrokerErrorKind::Unavailable => unavailable += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((busy, unavailable), (1_000 - MOST, MOST));
        // Each for itself would take minutes.
        assert!(begun.elapsed() < 10 * limit, "{:?}", begun.elapsed());
    }
    let refused =
        join_all((0..=MOST).map(|_| client.enqueue(Task::new("t", "").unwrap()))).await.pop().unwrap();
    let error = refused.unwrap_err();
    let cause = std::error::Error::source(&error)
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    assert!(cause.contains("300 calls wait for an answer, which is the most allowed"), "{cause}");
    redis.thaw();
    eventually_within(Duration::from_secs(30), "the client works again", async || {
        client.enqueue(Task::new("t", "").unwrap()).await.ok()
    })
    .await;
}

/// Uses about everything that stores something, until all of it is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_in_redis_but_counters_and_what_goes_away_by_itself() {
    const SECOND: Duration = Duration::from_secs(1);
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let semaphore = Semaphore::new("printer", 1).unwrap();
    let mut router = Router::new()
        .route("retried", async |ctx: Ctx| if ctx.retried() == 0 { Err("once more") } else { Ok(()) })
        .unwrap()
        .route("permitted", move |ctx: Ctx| {
            let semaphore = semaphore.clone();
            async move {
                let Some(permit) = semaphore.acquire(&ctx).await? else {
                    return Err(BoxError::from(PutBack::new(SECOND, "no permit")));
                };
                permit.release().await?;
                Ok(())
            }
        })
        .unwrap();
    for task_type in ["unique", "kept", "later", "limited", "waited", "whole", "tick"] {
        router = router.route(task_type, async |_: Ctx| ()).unwrap();
    }
    let router = router.layer(&RateLimit::new("api", 10, SECOND).unwrap());
    let aggregator =
        Aggregator::new(async |_group: String, _tasks: Vec<Task>| Task::new("whole", "").unwrap());
    let server = Server::builder(&client)
        .router(router)
        .queues([("default", 1)])
        .retry_policy(RetryPolicy::Fixed(SECOND))
        .janitor_interval(SECOND)
        .aggregator(aggregator)
        .groups(GroupSettings::default().grace(SECOND))
        .start()
        .await
        .unwrap();
    let scheduler = Scheduler::builder(&client).build().unwrap();
    let entry = scheduler.register(PeriodicTask::new("@every 1s", Task::new("tick", "").unwrap())).unwrap();
    scheduler.start().unwrap();
    let enqueue = async |task_type: &str, options: TaskOptions| {
        client.enqueue(Task::new(task_type, "").unwrap().options(options)).await.unwrap()
    };
    let plain = TaskOptions::new;
    enqueue("unique", plain().unique(600 * SECOND)).await;
    enqueue("kept", plain().retention(SECOND)).await;
    enqueue("later", plain().process_in(SECOND)).await;
    enqueue("retried", plain()).await;
    for _ in 0..3 {
        enqueue("limited", plain()).await;
        enqueue("permitted", plain()).await;
        enqueue("part", plain().group("g")).await;
    }
    let waited = enqueue("waited", plain().process_in(SECOND).retention(SECOND)).await;
    waited.wait(&client).await.unwrap();
    redis
        .until::<Option<i64>>(&["GET", "asynq:{default}:processed"], |count| {
            count.is_some_and(|count| count >= 13)
        })
        .await;
    scheduler.unregister(&entry).unwrap();
    scheduler.shutdown().await;
    let is_expected = |(key, seconds): &(String, Option<i64>)| {
        let is_counter = key.contains("}:processed") || key.contains("}:failed") || key == "asynq:queues";
        // The last tick of an entry, which keeps other schedulers from repeating it; the runs of the last period.
        let goes_away = seconds.is_some() && (key.ends_with(":x:tick") || key.starts_with("asynq:x:rate:"));
        is_counter || goes_away
    };
    eventually_within(Duration::from_secs(60), "all is over", async || {
        let tasks: Vec<String> = redis.command(&["KEYS", "asynq:{default}:t:*"]).await;
        tasks.is_empty().then_some(())
    })
    .await;
    server.shutdown().await;
    let mut left = Vec::new();
    let give_up = Instant::now() + 20 * SECOND;
    while Instant::now() < give_up {
        left = redis.keys().await.into_iter().filter(|key| !is_expected(key)).collect();
        if left.is_empty() {
            return;
        }
        tokio::time::sleep(SECOND / 10).await;
    }
    panic!("left: {left:?}");
}
