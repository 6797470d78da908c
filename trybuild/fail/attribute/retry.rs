#![allow(unused)]

use asynq::job;

#[job(retry = -1)]
async fn negative() {}

#[job(retry = 2147483648)]
async fn too_many() {}

#[job(retry = "5")]
async fn text() {}

#[job(retry = 1.5)]
async fn fraction() {}

fn main() {}
