#![allow(unused)]

use asynq::job;

#[job]
async fn generic<T: Send + Sync>(id: u64, value: T) {}

#[job]
async fn sized<const N: usize>(bytes: [u8; N]) {}

#[job]
async fn lifetime<'a>(to: &'a str, from: std::borrow::Cow<'a, str>) {}

#[job]
async fn clause(x: u8)
where
    u8: Copy,
{
}

fn main() {
    drop(Generic { id: 1 });
    drop(Lifetime { to: String::new(), from: "".into() });
}
