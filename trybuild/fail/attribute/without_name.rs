#![allow(unused)]

use asynq::job;

#[job("email:send")]
async fn text() {}

#[job(5)]
async fn number() {}

#[job = "email:send"]
async fn equals() {}

fn main() {}
