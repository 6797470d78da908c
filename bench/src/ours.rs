//! Our side's API, as an application uses it: defaults, but for what is measured.

use std::future::Future;

use anyhow::Result;
use asynq::{Client, Ctx, Router, Server, Task};

use crate::payload::TASK_TYPE;

/// A client of the Redis at `address` (host:port).
pub(crate) async fn connect(address: &str) -> Result<Client> {
    Ok(Client::connect(&format!("redis://{address}")).await?)
}

/// Enqueues one task.
pub(crate) async fn enqueue(client: &Client, payload: Vec<u8>) -> Result<()> {
    client.enqueue(Task::new(TASK_TYPE, payload)?).await?;
    Ok(())
}

/// Enqueues many tasks by one call.
pub(crate) async fn enqueue_all(client: &Client, payloads: Vec<Vec<u8>>) -> Result<()> {
    let tasks: Vec<Task> =
        payloads.into_iter().map(|payload| Task::new(TASK_TYPE, payload)).collect::<Result<_, _>>()?;
    for result in client.enqueue_all(tasks).await {
        result?;
    }
    Ok(())
}

/// Runs a worker: says when it has started, and ends it once `stop` resolves and every task is acknowledged.
pub(crate) async fn serve(
    client: &Client,
    concurrency: usize,
    handler: impl Fn(&[u8]) -> Result<()> + Send + Sync + Clone + 'static,
    started: impl FnOnce() -> Result<()>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let router = Router::new().route(TASK_TYPE, move |ctx: Ctx| {
        let handler = handler.clone();
        async move { handler(ctx.payload()) }
    })?;
    let server = Server::builder(client)
        .router(router)
        .queues([("default", 1)])
        .concurrency(concurrency)
        .start()
        .await?;
    started()?;
    stop.await;
    server.shutdown().await;
    Ok(())
}
