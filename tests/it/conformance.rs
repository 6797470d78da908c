//! The conformance suite on Redis.

use std::sync::{Arc, Mutex};

use asynq::broker::conformance::{Case, cases};
use asynq_testkit::{RedisFixture, RedisServer};
use tokio::task::JoinSet;

/// How many servers share the cases. Many cases wait rather than work.
const SERVERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_conforms() {
    let left = Arc::new(Mutex::new(cases()));
    let mut runners = JoinSet::new();
    for _ in 0..SERVERS {
        let (left, server) = (Arc::clone(&left), RedisServer::start().await);
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
