//! Options that several jobs share, from here, from a module, and from an associated constant; in every form of a job.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use std::time::Duration;

use asynq::{JobOptions, job};
use serde::{Deserialize, Serialize};

mod team {
    use super::{Duration, JobOptions};

    pub const MAIL: JobOptions = JobOptions::new().queue("mail").unique_for(Duration::from_secs(60));

    pub struct Images;

    impl Images {
        pub const DEFAULTS: JobOptions = JobOptions::new().queue("images").retry(1);
    }
}

const QUICK: JobOptions = team::MAIL.timeout(Duration::from_secs(5));

#[job(defaults = team::MAIL, unique_by(to))]
async fn send(to: String, text: String) {
    drop((to, text));
}

#[job(queue = "low", defaults = QUICK)]
async fn nudge() {}

#[derive(Deserialize, Serialize)]
struct Resize {}

#[job(defaults = team::Images::DEFAULTS)]
impl Resize {
    async fn run(self) {}
}

#[derive(asynq::Job, Deserialize, Serialize)]
#[job(defaults = QUICK, retry = 2)]
struct Crop {}

#[job(for = Crop)]
async fn crop(_task: Crop) {}

fn main() {
    let queues = asynq::jobs![Send, Nudge, Resize, crop].map(|job| job.options.queue_name());
    assert_eq!(queues, ["mail", "low", "images", "mail"]);
}
