#![allow(unused)]

use asynq::{JobOptions, job};

const MAIL: JobOptions = JobOptions::new().queue("mail");
const LIMIT: u32 = 3;

#[job(defaults = "mail")]
async fn text() {}

#[job(defaults = JobOptions::new().queue("mail"))]
async fn expression() {}

#[job(defaults = LIMIT)]
async fn other_type() {}

#[job(defaults = MAIL, unique_by(to))]
async fn for_how_long(to: String) {}

#[job(prefix = "mail:")]
async fn prefix() {}

fn main() {}
