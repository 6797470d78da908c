#![allow(unused)]

use asynq::job;

struct Json<T>(T);

#[job]
async fn tuple((x, y): (u32, u32)) {}

#[job]
async fn of_another_library(Json(body): Json<String>) {}

#[job]
async fn wildcard(_: String) {}

#[job]
async fn reference(ref x: String) {}

fn main() {}
