//! The conformance suite on a cluster.

use std::sync::{Arc, Mutex};

use asynq::broker::conformance::{Case, cases};
use asynq_testkit::{RedisCluster, RedisFixture};
use tokio::task::JoinSet;

/// How many clusters share the cases.
const CLUSTERS: usize = 2;

/// What cannot hold here.
const EXCEPT: [&str; 4] = [
    // It is one.
    "inspection::is_no_cluster",
    // Who listens on another node may hear what was published just before.
    "state::passes_a_cancellation_on",
    "waits::a_task_that_nobody_waits_for_is_not_told",
    "waits::marks_lapse",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_conforms() {
    let left: Vec<Case> = cases().into_iter().filter(|case| !EXCEPT.contains(&case.name)).collect();
    let left = Arc::new(Mutex::new(left));
    let mut runners = JoinSet::new();
    for _ in 0..CLUSTERS {
        let (left, cluster) = (Arc::clone(&left), RedisCluster::start().await);
        runners.spawn(async move {
            let mut failed = Vec::new();
            loop {
                let next = left.lock().unwrap().pop();
                let Some(case) = next else { return failed };
                if !holds(case, &cluster).await {
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
async fn holds(case: Case, cluster: &RedisCluster) -> bool {
    let fixture = Arc::new(RedisFixture::on_cluster(cluster).await);
    let mut run = JoinSet::new();
    run.spawn((case.run)(fixture));
    run.join_next().await.is_some_and(|ended| ended.is_ok())
}
