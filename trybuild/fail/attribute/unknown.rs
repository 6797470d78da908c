#![allow(unused)]

use asynq::job;

#[job(queu = "critical")]
async fn misspelled() {}

#[job(priority = 5)]
async fn of_another_library() {}

#[job(blocking)]
async fn a_flag() {}

#[job(backoff(2))]
async fn with_arguments() {}

fn main() {}
