#![allow(unused)]

use asynq::job;

const LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

#[job(timeout = 30)]
async fn number() {}

#[job(timeout = 1h30m)]
async fn without_quotes() {}

#[job(timeout = "30")]
async fn without_unit() {}

#[job(timeout = "500ms")]
async fn below_a_second() {}

#[job(timeout = "1.5h")]
async fn fraction() {}

#[job(timeout = "0s")]
async fn zero() {}

#[job(timeout = "300000000h")]
async fn overflow() {}

#[job(timeout = "5 minutes")]
async fn long_unit() {}

#[job(timeout = "30m1h")]
async fn out_of_order() {}

#[job(timeout = "soon")]
async fn word() {}

#[job(timeout = "")]
async fn blank() {}

#[job(timeout = LIMIT)]
async fn constant() {}

#[job(expires_in = "1", unique_for = "2", retention = "3")]
async fn every_duration() {}

fn main() {}
