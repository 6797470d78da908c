#![allow(unused)]

use asynq::job;

const RATE: &str = "100/s";

#[job(rate = 100)]
async fn number() {}

#[job(rate = "100")]
async fn without_period() {}

#[job(rate = "fast")]
async fn words() {}

#[job(rate = "0/s")]
async fn none() {}

#[job(rate = "60000/m")]
async fn too_many() {}

#[job(rate = "1.5/s")]
async fn fraction() {}

#[job(rate = "10/fortnight")]
async fn unit() {}

#[job(rate = "10/500ms")]
async fn too_short() {}

#[job(rate = "10/32d")]
async fn too_long() {}

#[job(rate = RATE)]
async fn constant() {}

#[job(rate)]
async fn nothing() {}

#[job(rate_limit = "100/s")]
async fn called_otherwise() {}

fn main() {}
