//! The worker.

// Without a mention the library would not be linked, and its jobs not be there.
use contract_worker as _;

#[tokio::main]
async fn main() -> asynq::Result<()> {
    asynq::run_registered().await
}
