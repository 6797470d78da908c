#![allow(unused)]

use asynq::job;

const QUEUE: &str = "critical";

#[job(queue)]
async fn missing() {}

#[job(queue =)]
async fn empty() {}

#[job(queue = , retry = 5)]
async fn empty_before_another() {}

#[job(queue("critical"))]
async fn parentheses() {}

#[job(retry: 5)]
async fn colon() {}

#[job(queue = critical)]
async fn without_quotes() {}

#[job(queue = QUEUE)]
async fn constant() {}

#[job(queue = "a" retry = 5)]
async fn without_comma() {}

#[job(queue = "a"; retry = 5)]
async fn semicolon() {}

fn main() {}
