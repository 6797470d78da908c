//! Workers: killed, frozen for longer than others wait for them, replaced.

use std::time::{Duration, Instant};

use asynq_testkit::{Audit, Load, RedisServer, eventually_within};

use crate::form::{Form, ROUNDS, complete};
use crate::process;

/// How long a task of these scenarios takes to run.
const TAKES: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_killed_again_and_again_lose_nothing() {
    let audit = complete(killed).await;
    // Each had 20 slots.
    assert!(audit.ran_again <= 20 * ROUNDS, "only what was in flight runs twice: {audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b34_a_worker_that_was_frozen_settles_no_other_run_under_load() {
    complete(frozen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_deploy_loses_nothing_and_runs_nothing_twice() {
    let audit = complete(deployed).await;
    assert_eq!((audit.ran_again, audit.failures), (0, 0));
}

async fn load(form: &Form, redis: &RedisServer) -> Load {
    let client = form.client(&redis.url()).await;
    Load::produce(&[client], &["default"], TAKES)
}

pub(crate) async fn killed(form: &Form) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = load(form, &redis).await;
    for _ in 0..ROUNDS {
        let victim = load.add(process::spawn(&redis.url()));
        form.go_on(&load).await;
        load.signal(victim, "KILL");
    }
    load.add(process::spawn(&redis.url()));
    load.resume().await;
    load.end().await
}

pub(crate) async fn frozen(form: &Form) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = load(form, &redis).await;
    let victim = load.add(process::spawn(&redis.url()));
    form.go_on(&load).await;
    load.add(process::spawn(&redis.url()));
    form.go_on(&load).await;
    for _ in 0..ROUNDS {
        let held = freeze_holding(&redis, &load, victim).await;
        let begun = Instant::now();
        eventually_within(Duration::from_secs(60), "others have run what it held", async || {
            let active: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:active", "0", "-1"]).await;
            (!held.iter().any(|id| active.contains(id))).then_some(())
        })
        .await;
        eprintln!(
            "{} tasks of a frozen worker were run by another after {:.1?}",
            held.len(),
            begun.elapsed()
        );
        load.signal(victim, "CONT");
        form.go_on(&load).await;
    }
    load.resume().await;
    load.end().await
}

/// Freezes a worker while it holds tasks: which.
async fn freeze_holding(redis: &RedisServer, load: &Load, victim: usize) -> Vec<String> {
    eventually_within(Duration::from_secs(60), "it holds tasks while it is frozen", async || {
        load.signal(victim, "STOP");
        let active: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:active", "0", "-1"]).await;
        // What stays for so long is of the one that is frozen: no task takes that long.
        tokio::time::sleep(10 * TAKES).await;
        let later: Vec<String> = redis.command(&["LRANGE", "asynq:{default}:active", "0", "-1"]).await;
        let held: Vec<String> = active.into_iter().filter(|id| later.contains(id)).collect();
        if held.is_empty() {
            load.signal(victim, "CONT");
        }
        (!held.is_empty()).then_some(held)
    })
    .await
}

pub(crate) async fn deployed(form: &Form) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = load(form, &redis).await;
    let mut old = load.add(process::spawn(&redis.url()));
    form.go_on(&load).await;
    for _ in 0..2 * ROUNDS {
        let new = load.add(process::spawn(&redis.url()));
        form.go_on(&load).await;
        load.retire(old).await;
        old = new;
        load.resume().await;
    }
    load.end().await
}
