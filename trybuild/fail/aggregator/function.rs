use asynq::{aggregator, job};

#[job]
async fn mail() {}

#[aggregator]
fn not_async(mails: Vec<Mail>) {}

#[aggregator]
async fn generic<T: asynq::Job>(jobs: Vec<T>) {}

#[aggregator]
async fn no_jobs(group: &str) {}

#[aggregator]
struct NotAFunction;

struct Digests;

impl Digests {
    #[aggregator]
    async fn method(&self, mails: Vec<Mail>) {}
}

fn main() {}
