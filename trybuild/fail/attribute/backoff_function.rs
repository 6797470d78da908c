//! A function that is no retry policy.

use std::time::Duration;

use asynq::job;

fn of_the_name(name: &str) -> Duration {
    Duration::from_secs(name.len() as u64)
}

#[job(backoff = of_the_name)]
async fn with_another_function() {}

fn main() {}
