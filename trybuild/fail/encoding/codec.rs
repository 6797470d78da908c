//! Codecs that cannot encode the payload of their job.

use asynq::{GoJson, Raw, job};

struct Pool;

struct NoCodec;

#[job(codec = Raw)]
async fn raw_without_transparent(text: String) {
    drop(text);
}

#[job(codec = Raw, transparent)]
async fn raw_number(number: u32) {
    drop(number);
}

#[job(codec = GoJson, transparent)]
async fn not_for_serde(pool: Pool) {
    drop(pool);
}

#[job(codec = NoCodec)]
async fn not_a_codec(text: String) {
    drop(text);
}

fn main() {}
