#![allow(unused)]

use asynq::job;

#[job]
struct SendEmail {
    to: String,
}

#[job]
mod jobs {}

#[job]
const RETRIES: u32 = 5;

fn main() {
    drop(SendEmail { to: String::new() });
}
