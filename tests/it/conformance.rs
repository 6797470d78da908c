//! The conformance suite on Redis.

use std::sync::{Arc, Mutex};

use asynq::broker::conformance::{Case, cases};
use asynq_testkit::{RedisFixture, RedisServer};
use tokio::task::JoinSet;

/// How many servers share the cases. Many cases wait rather than work.
const SERVERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_conforms() {
    conform(async || RedisServer::start().await).await;
}

/// What is newer has a fallback.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_conforms_without_the_commands_that_came_after_4_0() {
    conform(async || RedisServer::start_as_of("4.0").await).await;
}

/// All cases, on some servers.
async fn conform(start: impl AsyncFn() -> RedisServer) {
    let left = Arc::new(Mutex::new(cases()));
    let mut runners = JoinSet::new();
    for _ in 0..SERVERS {
        let (left, server) = (Arc::clone(&left), start().await);
        runners.spawn(async move {
            let mut failed = Vec::new();
            loop {
                let next = left.lock().unwrap().pop();
                let Some(case) = next else { return failed };
                if !holds(case, &server).await {
                    failed.push(case.name);
                }
            }
        });
    }
    let mut failed = runners.join_all().await.concat();
    failed.sort_unstable();
    assert!(failed.is_empty(), "{} cases fail: {failed:#?}", failed.len());
}

/// Runs a case. Its panic, if any, has been printed.
async fn holds(case: Case, server: &RedisServer) -> bool {
    let fixture = Arc::new(RedisFixture::new(server).await);
    let mut run = JoinSet::new();
    run.spawn((case.run)(fixture));
    run.join_next().await.is_some_and(|ended| ended.is_ok())
}
