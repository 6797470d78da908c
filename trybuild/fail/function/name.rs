#![allow(unused)]

use asynq::job;

struct SendEmail;

#[job]
async fn send_email(to: String) {}

#[job]
async fn self_() {}

fn main() {}
