#![allow(unused)]

use asynq::job;

#[job(every = 10)]
async fn number() {}

#[job(every = "10")]
async fn without_unit() {}

#[job(every = "500ms")]
async fn below_a_second() {}

#[job(every = "10m", every = "20m")]
async fn twice() {}

fn main() {}
