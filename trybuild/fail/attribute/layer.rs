#![allow(unused)]

use asynq::{Ctx, job, middleware_fn};

struct Timing;

async fn without_next(ctx: Ctx) {}

#[job(layer = Timing)]
async fn no_layer() {}

#[job(layer = 30)]
async fn number() {}

#[job(layer = "timing()")]
async fn text() {}

#[job(layer = middleware_fn(without_next))]
async fn no_middleware() {}

#[job(middleware = Timing)]
async fn called_otherwise() {}

fn main() {}
