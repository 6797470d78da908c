use std::rc::Rc;

use asynq::{aggregator, job};

#[job]
async fn mail() {}

#[aggregator]
async fn digest(mails: Vec<Mail>) {
    let count = Rc::new(mails.len());
    std::future::ready(()).await;
    drop(count);
}

fn main() {}
