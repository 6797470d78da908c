#![allow(unused)]

use asynq::job;

#[job(retry = 1, queue = "a", retry = 2)]
async fn twice() {}

fn main() {}
