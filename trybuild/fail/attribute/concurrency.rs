#![allow(unused)]

use asynq::job;

const FOUR: usize = 4;

#[job(concurrency = 0)]
async fn none() {}

#[job(concurrency = -1)]
async fn negative() {}

#[job(concurrency = 1000001)]
async fn too_many() {}

#[job(concurrency = "4")]
async fn text() {}

#[job(concurrency = FOUR)]
async fn constant() {}

#[job(concurrency)]
async fn nothing() {}

#[job(max_concurrency = 4)]
async fn called_otherwise() {}

fn main() {}
