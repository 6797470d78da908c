//! When a failed job is tried again, and what becomes of a cancelled one: values that are none.

use asynq::job;

#[job(backoff = "10s")]
async fn a_delay() {}

#[job(backoff = fixed)]
async fn no_delay() {}

#[job(backoff = fixed(10))]
async fn no_unit() {}

#[job(backoff = exponential("2s"))]
async fn no_longest_delay() {}

#[job(backoff = exponential("10m", max = "2s"))]
async fn longest_first() {}

#[job(backoff = exponentail("2s", max = "10m"))]
async fn misspelled() {}

#[job(backoff = 5)]
async fn a_number() {}

#[job(retry_delay = "10s")]
async fn called_otherwise() {}

#[job(on_cancel = "archive")]
async fn in_quotes() {}

#[job(on_cancel = achive)]
async fn misspelled_too() {}

#[job(on_cancel = skip)]
async fn none_of_them() {}

fn main() {}
