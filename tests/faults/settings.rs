//! What Redis itself can lose, by how it is set up: tasks that it acknowledged and does not have any more.

use std::time::Duration;

use asynq_testkit::{Audit, Load, RedisServer};
use futures_util::future::{LocalBoxFuture, join_all};

use crate::form::Form;

/// Runs by `cargo xtask reliability`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; it asserts only what Redis promises"]
async fn settings() {
    let rows: [(&str, LocalBoxFuture<'_, Audit>); 7] = [
        (
            "appendonly, appendfsync always; killed",
            Box::pin(killed(&["--appendonly", "yes", "--appendfsync", "always"])),
        ),
        (
            "appendonly, appendfsync everysec; killed",
            Box::pin(killed(&["--appendonly", "yes", "--appendfsync", "everysec"])),
        ),
        (
            "appendonly, appendfsync no; killed",
            Box::pin(killed(&["--appendonly", "yes", "--appendfsync", "no"])),
        ),
        ("snapshots alone; killed 3 s after the last", Box::pin(killed(&["--appendonly", "no"]))),
        ("maxmemory, noeviction", Box::pin(full("noeviction"))),
        ("maxmemory, allkeys-lru", Box::pin(full("allkeys-lru"))),
        ("maxmemory, volatile-lru", Box::pin(full("volatile-lru"))),
    ];
    let (names, runs): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    println!("| Redis | acknowledged | lost | still stored, never run | ran again |\n|---|---|---|---|---|");
    for (name, audit) in names.iter().zip(join_all(runs).await) {
        println!(
            "| {name} | {} | {} | {} | {} |",
            audit.acknowledged,
            audit.lost.len(),
            audit.stored.len(),
            audit.ran_again
        );
        assert!(audit.is_complete() || !name.contains("always") && !name.contains("noeviction"), "{audit}");
    }
}

/// The process is killed, not the machine, and started again with what it has on disk.
async fn killed(args: &[&str]) -> Audit {
    let mut redis = RedisServer::start_with(args).await;
    let mut load = busy(&redis).await;
    redis.command::<()>(&["SAVE"]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.kill().await;
    redis.restart().await;
    load.resume().await;
    load.end().await
}

/// More is stored than it may hold, for a while.
async fn full(policy: &str) -> Audit {
    let redis = RedisServer::start().await;
    let mut load = busy(&redis).await;
    redis.command::<()>(&["CONFIG", "SET", "maxmemory-policy", policy]).await;
    let info: String = redis.command(&["INFO", "memory"]).await;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let most = used.trim().parse::<u64>().unwrap() - 20_000;
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", &most.to_string()]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]).await;
    load.resume().await;
    load.end().await
}

/// A server that has some tasks waiting: its workers are slower than its producers.
async fn busy(redis: &RedisServer) -> Load {
    let load = Form::long(1).load(redis).await;
    load.more(500).await;
    load
}
