#![allow(unused)]

use std::sync::Arc;

use asynq::{Client, job};

#[derive(serde::Serialize)]
struct OnlyWritten;

#[derive(Clone)]
struct Db;

#[job]
async fn read_back(x: OnlyWritten) {
    drop(x);
}

#[job]
async fn lent(client: &Client) {
    drop(client.clone());
}

#[job]
async fn inside(pools: Vec<Arc<Db>>) {
    drop(pools);
}

fn main() {}
