//! Redis itself: frozen, killed, emptied, full, forgetful.

use std::time::Duration;

use asynq::{Client, Ctx, Router, Server, Task};
use asynq_testkit::{Audit, RedisServer, eventually};

use crate::form::{Form, ROUNDS, complete};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_is_waited_for() {
    complete(frozen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_and_has_its_file_loses_nothing() {
    complete(killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_flushed_is_gone_and_work_goes_on() {
    let audit = complete(flushed).await;
    assert!(audit.deleted > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_full_refuses_tasks_and_those_it_has_are_run() {
    let audit = complete(full).await;
    assert_eq!(audit.ran_again, 0);
    assert!(audit.failures > 0, "some were refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_are_extended_although_redis_is_full() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let router = Router::new().route("long", async |_: Ctx| std::future::pending::<()>().await).unwrap();
    let server =
        Server::builder(&client).router(router).shutdown_timeout(Duration::ZERO).start().await.unwrap();
    client.enqueue(Task::new("long", "").unwrap()).await.unwrap();
    let lease = ["ZRANGE", "asynq:{default}:lease", "0", "-1", "WITHSCORES"];
    let leased: Vec<(String, i64)> =
        redis.until(&lease, |leased: &Vec<(String, i64)>| !leased.is_empty()).await;
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert!(redis.try_command::<()>(&["SET", "k", "v"]).await.is_err(), "it is full");
    redis.until(&lease, |now: &Vec<(String, i64)>| now[0].1 > leased[0].1 + 8).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_may_be_forgotten_at_any_time() {
    let audit = complete(scripts_flushed).await;
    assert_eq!((audit.failures, audit.ran_again), (0, 0));
}

pub(crate) async fn frozen(form: &Form) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = form.load(&redis).await;
    for _ in 0..ROUNDS {
        redis.freeze();
        tokio::time::sleep(form.outage()).await;
        redis.thaw();
        load.resume().await;
        form.go_on(&load).await;
    }
    nothing_is_stuck(&redis).await;
    load.end().await
}

pub(crate) async fn killed(form: &Form) -> Audit {
    let mut redis = RedisServer::start_durable().await;
    let mut load = form.load(&redis).await;
    for _ in 0..ROUNDS {
        redis.kill().await;
        tokio::time::sleep(form.outage() / 4).await;
        redis.restart().await;
        load.resume().await;
        form.go_on(&load).await;
    }
    load.end().await
}

pub(crate) async fn flushed(form: &Form) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = form.load(&redis).await;
    for _ in 0..ROUNDS {
        redis.command::<()>(&["FLUSHALL"]).await;
        load.forget();
        load.resume().await;
        form.go_on(&load).await;
    }
    nothing_is_stuck(&redis).await;
    load.end().await
}

pub(crate) async fn full(form: &Form) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = form.load(&redis).await;
    for _ in 0..ROUNDS {
        redis.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]).await;
        // Everything that it has is run meanwhile, but what is kept or waits to be tried again.
        redis.until::<u64>(&["LLEN", "asynq:{default}:pending"], |pending| *pending == 0).await;
        tokio::time::sleep(form.outage()).await;
        redis.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]).await;
        load.resume().await;
        form.go_on(&load).await;
    }
    nothing_is_stuck(&redis).await;
    load.end().await
}

pub(crate) async fn scripts_flushed(form: &Form) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = form.load(&redis).await;
    for _ in 0..20 * ROUNDS {
        redis.command::<()>(&["SCRIPT", "FLUSH"]).await;
        load.more(20).await;
    }
    load.resume().await;
    load.end().await
}

/// What is active is being run: everything that is active now is not a little later.
async fn nothing_is_stuck(redis: &RedisServer) {
    let active = ["LRANGE", "asynq:{default}:active", "0", "-1"];
    let before: Vec<String> = redis.command(&active).await;
    eventually("what was active has ended", async || {
        let now: Vec<String> = redis.command(&active).await;
        (!before.iter().any(|id| now.contains(id))).then_some(())
    })
    .await;
}
