#![allow(unused)]

use serde::{Deserialize, Serialize};

#[derive(asynq::Job, Serialize, Deserialize)]
#[job(concurrency = 4, queue = "mail")]
struct HandlerOption;

#[derive(asynq::Job, Serialize, Deserialize)]
#[job(rename_all = "camelCase")]
struct StructOption;

#[derive(asynq::Job, Serialize, Deserialize)]
#[job(queu = "mail")]
struct Misspelled;

#[derive(asynq::Job, Serialize, Deserialize)]
#[job = "mail"]
struct NoList;

#[derive(asynq::Job, Serialize, Deserialize)]
#[job(queue = "mail")]
#[job(retry = 5)]
struct TwoAttributes;

#[derive(asynq::Job)]
struct Generic<T> {
    value: T,
}

#[derive(asynq::Job, Serialize)]
struct NotReadable;

fn main() {}
