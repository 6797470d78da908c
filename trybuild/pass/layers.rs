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
    let told = |job: &&'static asynq::Registration| {
        (job.name, job.concurrency, job.layer.map(|layer| layer.text), job.rate.map(|rate| rate.to_string()))
    };
    let told: Vec<_> = jobs.iter().map(told).collect();
    let rate = |text: &str| Some(text.to_owned());
    let expected = [
        ("with_a_call", None, Some("quiet()"), None),
        ("with_a_function", Some(1), Some("middleware_fn(loud)"), None),
        ("with_a_rate", None, None, rate("100/s")),
        ("with_a_rate_and_a_layer", None, Some("quiet()"), rate("10/1m30s")),
        ("with_several", Some(1_000_000), Some("(middleware_fn(loud), middleware_fn(loud))"), None),
        ("without", None, None, None),
    ];
    assert_eq!(told, expected);
}
