//! A mistake in an option of an `impl` or of a handler leaves the job as it is.

use asynq::Client;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Resize {
    width: u32,
}

#[asynq::job(retry = )]
impl Resize {
    async fn run(&self) {
        let _ = self.width;
    }
}

#[derive(asynq::Job, Deserialize, Serialize)]
struct Pay {}

#[asynq::job(for = Pay, concurrency = )]
async fn pay(_task: Pay) {}

async fn enqueue(client: &Client) -> asynq::Result<()> {
    Resize { width: 1 }.enqueue(client).await?;
    Ok(())
}

fn main() {
    let _ = enqueue;
    let _ = asynq::jobs![Resize, pay];
}
