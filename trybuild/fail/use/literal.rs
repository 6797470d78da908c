#![allow(unused)]

use asynq::job;

#[job]
async fn send_email(to: String, count: u32) {
    drop((to, count));
}

fn main() {
    drop(SendEmail { to: String::new() });
    drop(SendEmail { to: "a", count: 1 });
    drop(SendEmail::new("a"));
}
