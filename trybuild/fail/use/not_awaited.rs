#![deny(warnings)]

use asynq::{Client, job};

#[job]
async fn send_email(to: String) {
    drop(to);
}

async fn signup(client: &Client) {
    SendEmail::new("a").enqueue(client);
}

fn main() {
    let _ = signup;
}
