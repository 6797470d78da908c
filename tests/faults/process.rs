//! A worker process: this test binary again, told by the environment to be one.

use std::time::Duration;

use asynq::Client;
use asynq_testkit::Child;
use asynq_testkit::load::{Ledger, Worker};

const BE_WORKER: &str = "ASYNQ_TEST_WORKER_URL";

/// Not a test: what a worker process runs, until it is told to stop.
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
    Worker::builder(&client, &Ledger::printing(), &["default"]).run().await.unwrap();
}

/// Starts one.
pub(crate) fn spawn(url: &str) -> Child {
    Child::this_test("process::be_a_worker_process", BE_WORKER, url)
}
