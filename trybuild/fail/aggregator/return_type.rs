use asynq::{aggregator, job};

#[job]
async fn mail() {}

struct Digest;

#[aggregator]
async fn not_a_job(_mails: Vec<Mail>) -> Digest {
    Digest
}

#[aggregator]
async fn a_result_of_none(_mails: Vec<Mail>) -> Result<Digest, String> {
    Ok(Digest)
}

fn main() {}
