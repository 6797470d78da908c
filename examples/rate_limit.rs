//! Limits that hold over all workers: `cargo run --example rate_limit`.
//!
//! So many in a second, for all tasks of a job and for each key, and so many at a time. What may not run yet is put back
//! until its turn; it has not failed and uses up no retry, and meanwhile the worker runs others.

use std::time::{Duration, Instant};

use asynq::{Client, Ctx, RateLimit, Router, Semaphore, Server, State, job};
use tokio::sync::mpsc;

type Done = mpsc::Sender<String>;

/// The mail service takes two messages in a second, from all workers together.
#[job(rate = "2/s", retry = 0)]
async fn send_email(to: String, State(done): State<Done>) {
    // The receiver waits until all are there.
    drop(done.send(format!("sent to {to}")).await);
}

/// One call in two seconds for each tenant: a limit by key is a layer.
async fn call_api(ctx: Ctx) -> anyhow::Result<()> {
    let done = ctx.state::<Done>().ok_or_else(|| anyhow::anyhow!("nobody to tell"))?;
    done.send(format!("called for {}", tenant(&ctx))).await?;
    Ok(())
}

fn tenant(ctx: &Ctx) -> String {
    ctx.headers().get("tenant").cloned().unwrap_or_default()
}

/// The renderer has room for one.
async fn render(ctx: Ctx) -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_millis(200)).await;
    let done = ctx.state::<Done>().ok_or_else(|| anyhow::anyhow!("nobody to tell"))?;
    done.send(format!("rendered {}", ctx.task_id())).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = Client::in_memory();
    for to in ["ann", "bob", "eve", "joe", "sue"] {
        SendEmail::new(to).enqueue(&client).await?;
    }
    for tenant in ["red", "red", "blue"] {
        let options = asynq::TaskOptions::new().header("tenant", tenant);
        client.enqueue(asynq::Task::new("api:call", "")?.options(options)).await?;
    }
    for page in ["page-1", "page-2"] {
        let options = asynq::TaskOptions::new().task_id(page);
        client.enqueue(asynq::Task::new("render", "")?.options(options)).await?;
    }

    let by_tenant = RateLimit::new("api", 1, Duration::from_secs(2))?.key(tenant);
    let renderer = Semaphore::new("renderer", 1)?.retry_in(Duration::from_secs(1));
    let api = Router::new().route("api:", call_api)?.layer(&by_tenant);
    let rendering = Router::new().route("render", render)?.layer(&renderer);
    let router = Router::registered()?.merge(api)?.merge(rendering)?;

    let (sender, mut done) = mpsc::channel::<String>(10);
    let server = Server::builder(&client).router(router).state(sender).concurrency(4).start().await?;
    let begin = Instant::now();
    for _ in 0..10 {
        if let Some(what) = done.recv().await {
            println!("{:>4} ms: {what}", begin.elapsed().as_millis());
        }
    }
    server.shutdown().await;
    println!("nobody was let in too early, and nobody has failed");
    Ok(())
}
