//! Tasks without a Rust type: what a Go program enqueues, or handles. `cargo run --example untyped`.

use asynq::{Client, Ctx, Router, Server, Task, TaskOptions};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> asynq::Result<()> {
    let client = Client::in_memory();
    let task = Task::new("image:resize", r#"{"src":"cat.png","width":64}"#)?
        .header("tenant", "42")
        .options(TaskOptions::new().queue("media").max_retry(2));
    let info = client.enqueue(task).await?;
    println!("enqueued {} of type {}", info.id, info.task_type);

    let (done, mut results) = mpsc::channel(1);
    // Patterns are Go's: this handler takes every type that begins with "image:".
    let router = Router::new().route("image:", move |ctx: Ctx| {
        let done = done.clone();
        async move {
            let text = format!(
                "{} with {} for tenant {:?}",
                ctx.task_type(),
                String::from_utf8_lossy(ctx.payload()),
                ctx.headers().get("tenant")
            );
            done.send(text).await.map_err(|closed| closed.to_string())
        }
    })?;
    let server = Server::builder(&client).router(router).queues([("media", 1)]).start().await?;
    if let Some(text) = results.recv().await {
        println!("handled {text}");
    }
    server.shutdown().await;
    Ok(())
}
