//! Middleware and limits of single jobs.
#![forbid(unsafe_code)]
#![deny(warnings)]

use asynq::router::registered;
use asynq::{Ctx, HandlerResult, Middleware, Next, job, middleware_fn};

/// A value.
fn quiet() -> impl Middleware {
    middleware_fn(async |ctx: Ctx, next: Next| next.run(ctx).await)
}

async fn loud(ctx: Ctx, next: Next) -> HandlerResult {
    println!("{}", ctx.task_type());
    next.run(ctx).await
}

#[job(layer = quiet())]
async fn with_a_call() {}

#[job(layer = middleware_fn(loud), concurrency = 1)]
async fn with_a_function(id: u64) {
    assert!(id > 0);
}

#[job(layer = (middleware_fn(loud), middleware_fn(loud)), concurrency = 1_000_000)]
async fn with_several() {}

#[job(rate = "100/s")]
async fn with_a_rate() {}

#[job(rate = "10/1m30s", layer = quiet())]
async fn with_a_rate_and_a_layer() {}

#[job]
async fn without() {}

fn main() {
    let jobs = registered().unwrap();
    let limits: Vec<_> = jobs.iter().map(|job| (job.name, job.concurrency, job.layer.is_some())).collect();
    let expected = [
        ("with_a_call", None, true),
        ("with_a_function", Some(1), true),
        ("with_a_rate", None, true),
        ("with_a_rate_and_a_layer", None, true),
        ("with_several", Some(1_000_000), true),
        ("without", None, false),
    ];
    assert_eq!(limits, expected);
}
