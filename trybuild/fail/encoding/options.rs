//! How a payload is encoded, and what it was: what the options take.

use asynq::job;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Old {}

impl From<Old> for FromTwo {
    fn from(_: Old) -> Self {
        Self {}
    }
}

#[job(codec = "MsgPack")]
async fn codec_in_a_string() {}

#[job(codec)]
async fn codec_without_a_type() {}

#[job(format = Json)]
async fn codec_by_another_name() {}

#[job(version = 1)]
async fn first_version() {}

#[job(version = "2")]
async fn version_in_a_string() {}

#[job(from = 5)]
async fn from_a_number() {}

#[job(from(Old))]
async fn from_without_a_version() {}

#[job(from(1 = Old))]
async fn from_without_this_version() {}

#[job(version = 2, from(2 = Old))]
async fn from_itself() {}

#[job(version = 3, from(0 = Old))]
async fn from_before_the_first() {}

#[job(version = 3, from(1 = Old, 1 = Old))]
async fn from_twice() {}

#[job(from = Old, from = Old)]
async fn from_two() {}

fn main() {}
