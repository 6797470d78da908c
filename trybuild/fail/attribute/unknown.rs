#![allow(unused)]

use asynq::job;

#[job(queu = "critical")]
async fn misspelled() {}

#[job(priority = 5)]
async fn not_like_any() {}

#[job(quue("critical"))]
async fn misspelled_with_list() {}

fn main() {}
