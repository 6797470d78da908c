//! What means nothing where the codec is given the argument itself.

use asynq::job;

#[job(codec = asynq::Raw, transparent)]
async fn with_serde(#[serde(default)] text: String) {
    drop(text);
}

#[job(codec = asynq::Raw, transparent, every = "10m")]
async fn with_schedule(text: String) {
    drop(text);
}

#[job(codec = asynq::Raw, transparent, rename_all = "camelCase")]
async fn with_names(text: String) {
    drop(text);
}

#[job(codec = asynq::Raw, transparent, unique_for = "1m", unique_by(text))]
async fn with_unique_by(text: String) {
    drop(text);
}

#[job(codec = asynq::Raw, transparent)]
async fn with_two(text: String, more: String) {
    drop((text, more));
}

fn main() {}
