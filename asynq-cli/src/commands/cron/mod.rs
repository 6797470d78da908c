//! `asynq cron`: schedules, looked at and managed, and what they enqueued.

mod acting;
mod cron;
mod listing;
mod saving;
mod show;

pub(crate) use cron::Cron;
