#![allow(unused)]

use std::sync::Arc;

use asynq::{State, job};

trait Mailer {}

#[job]
async fn any_text(to: impl Into<String>) {}

#[job]
async fn inside(to: Vec<impl Into<String>>) {}

#[job]
async fn injected(mailer: State<Arc<impl Mailer>>) {}

#[job]
async fn object(mailer: &(dyn Mailer + Sync)) {}

#[job]
async fn boxed(mailer: Box<dyn Mailer + Send + Sync>) {}

fn main() {}
