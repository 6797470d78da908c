#![allow(unused)]

use asynq::job;

#[job(name = "", queue = "  ", group = "\t")]
async fn blank() {}

fn main() {}
