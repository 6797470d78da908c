#![allow(unused)]

use asynq::job;

struct Mailer;

impl Mailer {
    #[job]
    async fn send(&self, to: String) {}
}

fn main() {
    drop(Mailer.send(String::new()));
}
