#![allow(unused)]

use asynq::job;

#[job(cron = "0 9 * * *", tz = "Europe/Rome")]
async fn called_otherwise() {}

#[job(cron = "0 9 * * *", timezone = "Rome, Italy")]
async fn not_a_name() {}

#[job(timezone = "Europe/Rome")]
async fn without_cron() {}

#[job(every = "10m", timezone = "Europe/Rome")]
async fn with_every_alone() {}

#[job(cron = "TZ=Asia/Tokyo 0 9 * * *", timezone = "Europe/Rome")]
async fn two_zones() {}

fn main() {}
