#![allow(unused)]

use asynq::job;

#[job(deadline = "2030-01-01")]
async fn deadline() {}

#[job(max_retry = 5)]
async fn max_retry() {}

#[job(max_retries = 5)]
async fn max_retries() {}

#[job(unique = "1h")]
async fn unique() {}

#[job(task_id = "a")]
async fn task_id() {}

#[job(process_in = "1h")]
async fn process_in() {}

#[job(r#type = "email")]
async fn raw() {}

fn main() {}
