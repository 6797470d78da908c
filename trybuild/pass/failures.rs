//! Retry policies and cancellation of single jobs.
#![forbid(unsafe_code)]
#![deny(warnings)]

use std::time::Duration;

use asynq::router::registered;
use asynq::{BoxError, OnCancel, job};

mod policies {
    use super::{BoxError, Duration};

    pub(crate) fn linear(retried: i32, _: &BoxError) -> Duration {
        Duration::from_secs(10 * (u64::from(retried.unsigned_abs()) + 1))
    }
}

#[job(backoff = fixed("1m"))]
async fn fixed_delay() {}

#[job(backoff = exponential("2s", max = "10m"), on_cancel = archive)]
async fn growing_delay() {}

#[job(backoff = policies::linear, on_cancel = delete)]
async fn own_function() {}

#[job(backoff = |retried, _| Duration::from_secs(u64::from(retried.unsigned_abs())), on_cancel = retry)]
async fn own_closure() {}

#[job]
async fn nothing() {}

fn main() {
    let jobs = registered().unwrap();
    let delay = |name: &str| {
        let policy = jobs.iter().find(|job| job.name == name)?.retry_policy?();
        Some(policy.delay(name, 2, &"it broke".into()))
    };
    assert_eq!(delay("fixed_delay"), Some(Duration::from_secs(60)));
    assert!(delay("growing_delay").is_some_and(|delay| delay <= Duration::from_secs(8)));
    assert_eq!(delay("own_function"), Some(Duration::from_secs(30)));
    assert_eq!(delay("own_closure"), Some(Duration::from_secs(2)));
    assert_eq!(delay("nothing"), None);
    let fate = |name: &str| jobs.iter().find(|job| job.name == name).and_then(|job| job.on_cancel);
    assert_eq!(fate("growing_delay"), Some(OnCancel::Archive));
    assert_eq!(fate("own_function"), Some(OnCancel::Delete));
    assert_eq!(fate("own_closure"), Some(OnCancel::Retry));
    assert_eq!(fate("nothing"), None);
}
