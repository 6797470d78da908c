//! Every mistake of one attribute is reported in one pass, and the job can be used all the same.
#![allow(unused)]

use asynq::job;

#[job(nam = "a", queue = "", retry = -1, timeout = "30", retry = 5, deadline = 1)]
async fn many(x: u8, (a, b): (u8, u8), mut c: &mut String) {}

fn main() {
    drop(Many { x: 1 });
    drop(many(1, (1, 2), &mut String::new()));
    let _: &str = <Many as asynq::Job>::NAME;
}
