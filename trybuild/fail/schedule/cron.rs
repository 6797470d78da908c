#![allow(unused)]

use asynq::job;

#[job(cron = "0 9 * *")]
async fn four_fields() {}

#[job(cron = "0 0 9 * * *")]
async fn with_seconds() {}

#[job(cron = "60 * * * *")]
async fn minute_out_of_range() {}

#[job(cron = "0 9 * * 7")]
async fn sunday_is_zero() {}

#[job(cron = "0 9 * * mon-fry")]
async fn no_such_day() {}

#[job(cron = "@dayly")]
async fn no_such_descriptor() {}

#[job(cron = "@every 1d")]
async fn days() {}

#[job(cron = "TZ=Europe/Rome")]
async fn only_a_zone() {}

#[job(cron = 9)]
async fn number() {}

#[job(cron = "@daily", cron = "@daily")]
async fn twice() {}

fn main() {}
