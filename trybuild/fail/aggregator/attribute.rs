use asynq::{aggregator, job};

#[job]
async fn mail() {}

#[aggregator(graze = "30s", grace = 30, grace = "1m", max_size = 0, max_delay, retry = 5, size = 10)]
async fn options(mails: Vec<Mail>) {}

#[aggregator(max_size = "100", queue = "", timeout = "500ms", max_size = 20_000)]
async fn values(mails: Vec<Mail>) {}

#[aggregator("30s")]
async fn without_name(mails: Vec<Mail>) {}

fn main() {}
