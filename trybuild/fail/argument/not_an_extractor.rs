#![allow(unused)]

use asynq::{State, job};

struct Pool;

#[job]
async fn by_value(#[state] pool: Pool) {
    drop(pool);
}

#[job]
async fn lent(#[extract] pool: &Pool) {
    let _ = pool;
}

#[job]
async fn not_clone(State(pool): State<Pool>) {
    drop(pool);
}

fn main() {}
