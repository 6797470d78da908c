#![deny(warnings)]

use asynq::job;

#[derive(serde::Serialize, serde::Deserialize)]
struct Private;

#[job]
pub async fn public(x: Private) {
    drop(x);
}

#[job]
pub async fn returned() -> Result<Private, String> {
    Ok(Private)
}

fn main() {}
