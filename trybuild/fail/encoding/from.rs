//! Earlier payloads that cannot be read, or cannot become the job.

use asynq::job;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Old {
    to: String,
}

#[job(from = Old)]
async fn not_from(to: Vec<String>) {
    drop(to);
}

struct NotForSerde;

impl From<NotForSerde> for NotDecoded {
    fn from(_: NotForSerde) -> Self {
        Self { to: Vec::new() }
    }
}

#[job(from = NotForSerde)]
async fn not_decoded(to: Vec<String>) {
    drop(to);
}

fn main() {}
