#![allow(unused)]

use asynq::{Ctx, State, job};

#[job]
async fn both(#[arg] #[state] x: u8) {}

#[job]
async fn repeated(#[state] #[state] x: Ctx) {}

#[job]
async fn with_value(#[state(optional)] x: Ctx) {}

#[job]
async fn serde_on_injected(#[serde(default)] State(x): State<u8>) {}

fn main() {}
