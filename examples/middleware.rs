//! Middleware: around every job of a worker, and around one: `cargo run --example middleware`.
//!
//! A task passes the worker's layers first, then those of its job, then the job, and the result goes back the same way.

use std::time::{Duration, Instant};

use asynq::{
    Client, Ctx, ExtractError, FromContext, HandlerResult, Next, Server, SkipRetry, State, job, middleware_fn,
};
use tokio::sync::mpsc;

/// Around every job: how long it took.
async fn timing(ctx: Ctx, next: Next) -> HandlerResult {
    let (begin, name) = (Instant::now(), format!("{} {}", ctx.task_type(), ctx.task_id()));
    let result = next.run(ctx).await;
    let ended = if result.is_ok() { "done" } else { "failed" };
    println!("timing: {name} {ended} in {} ms", begin.elapsed().as_millis());
    result
}

/// Around one job: only for tenants that pay.
async fn paying_only(ctx: Ctx, next: Next) -> HandlerResult {
    match Tenant::from_context(&ctx).await? {
        Tenant(tenant) if tenant == "freeloader" => {
            println!("paying_only: refused {tenant}");
            Err(SkipRetry::new("does not pay").into())
        }
        _ => next.run(ctx).await,
    }
}

/// Whom a task is for: an argument that is made from the task's headers.
struct Tenant(String);

impl FromContext for Tenant {
    async fn from_context(ctx: &Ctx) -> Result<Self, ExtractError> {
        let header = ctx.headers().get("tenant").ok_or(ExtractError::new("Tenant", "no header `tenant`"))?;
        Ok(Self(header.clone()))
    }
}

/// Renders a report; a worker renders two at a time, however many slots it has.
#[job(layer = middleware_fn(paying_only), concurrency = 2)]
async fn render(pages: u64, #[extract] Tenant(tenant): Tenant, State(done): State<mpsc::Sender<String>>) {
    tokio::time::sleep(Duration::from_millis(pages)).await;
    // The receiver waits until all are there.
    drop(done.send(tenant).await);
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    let client = Client::in_memory();
    for (tenant, pages) in [("freeloader", 9), ("ann", 5), ("bob", 3)] {
        Render::new(pages).enqueue(&client).header("tenant", tenant).task_id(tenant).await?;
    }

    let (sender, mut done) = mpsc::channel::<String>(2);
    let server =
        Server::builder(&client).registered().state(sender).layer(middleware_fn(timing)).start().await?;
    for _ in 0..2 {
        if let Some(tenant) = done.recv().await {
            println!("rendered for {tenant}");
        }
    }
    server.shutdown().await;
    println!("that is all");
    Ok(())
}
