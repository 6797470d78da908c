#![allow(unused)]

use serde::{Deserialize, Serialize};

#[derive(asynq::Job, Serialize, Deserialize)]
struct Send {
    to: String,
}

#[asynq::job(for = Send, queue = "mail")]
async fn option_of_the_job(task: Send) {}

#[asynq::job(for = Send, derive(Debug))]
async fn option_of_the_struct(task: Send) {}

#[asynq::job(for = Send)]
async fn without_the_job() {}

#[asynq::job(for = Send)]
async fn field_of_its_own(task: Send, to: String) {}

#[asynq::job(for = Send)]
async fn other_result(task: Send) -> Result<usize, String> {
    Ok(1)
}

#[asynq::job(for = "Send")]
async fn not_a_path(task: Send) {}

#[asynq::job(output(usize))]
async fn output_twice() -> Result<usize, String> {
    Ok(1)
}

struct NoJob;

#[asynq::job(for = NoJob)]
async fn for_no_job(task: NoJob) {}

fn main() {}
