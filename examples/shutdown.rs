//! What happens to running jobs when a worker ends: `cargo run --example shutdown`.
//!
//! A worker that shuts down takes no more tasks, lets those that run finish within its limit, and puts the rest back for
//! others. `run` and `run_registered` do this on SIGTERM. It needs no Redis and ends by itself.

use std::time::Duration;

use asynq::{Client, Inspector, Server, State, job};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Takes some time, and says when it begins and ends.
#[job]
async fn work(name: String, millis: u64, State(began): State<mpsc::Sender<()>>) -> anyhow::Result<()> {
    println!("{name} begins");
    began.send(()).await?;
    sleep(Duration::from_millis(millis)).await;
    println!("{name} is done");
    Ok(())
}

fn worker(client: &Client, began: mpsc::Sender<()>) -> asynq::ServerBuilder {
    Server::builder(client)
        .registered()
        .state(began)
        .concurrency(2)
        .shutdown_timeout(Duration::from_millis(500))
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    let client = Client::in_memory();
    for (name, millis) in [("short", 200), ("long", 3_000), ("next", 0)] {
        Work::new(name, millis).enqueue(&client).task_id(name).await?;
    }
    let (sender, mut began) = mpsc::channel(10);
    let server = worker(&client, sender.clone()).start().await?;
    for _ in 0..2 {
        began.recv().await;
    }
    println!("the first worker shuts down");
    server.shutdown().await;

    let left = Inspector::new(&client).queue_info("default").await?;
    println!("{} tasks wait for another worker, {} are lost", left.pending, 2 - left.pending);

    let server = worker(&client, sender).shutdown_timeout(Duration::from_secs(8)).start().await?;
    for _ in 0..2 {
        began.recv().await;
    }
    println!("the second worker shuts down");
    server.shutdown().await;
    Ok(())
}
