use asynq::{aggregator, job};

#[job]
async fn mail() {}

#[job]
async fn sms() {}

struct Pool;

#[aggregator]
async fn two_jobs(mails: Vec<Mail>, sms: Vec<Sms>) {}

#[aggregator]
async fn two_groups(group: &str, name: String, mails: Vec<Mail>) {}

#[aggregator]
async fn pool(mails: Vec<Mail>, pool: Pool) {}

#[aggregator]
async fn mutable(mails: &mut [Mail]) {}

#[aggregator]
async fn marked(#[arg] mails: Vec<Mail>, #[serde(default)] group: String) {}

fn main() {}
