#![allow(unused)]

use asynq::job;

#[job]
async fn not_send(to: String) {
    let shared = std::rc::Rc::new(to);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
