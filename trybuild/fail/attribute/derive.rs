#![allow(unused)]

use asynq::job;

#[job(derive)]
async fn without_list() {}

#[job(derive())]
async fn empty() {}

#[job(derive = Debug)]
async fn value() {}

#[job(derive(Debug, serde::Serialize))]
async fn serde() {}

#[job(derive(Debug, Clone, Debug))]
async fn twice() {}

#[job(derive(Debug), derive(Clone))]
async fn two_lists() {}

#[job(derive("Debug"))]
async fn text() {}

// Like any derive, it asks something of each argument.
struct Opaque;

#[job(derive(Clone))]
async fn not_clone(#[serde(skip)] opaque: Option<Opaque>) {}

fn main() {}
