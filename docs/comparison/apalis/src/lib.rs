//! The job, and the mailer that it is given.

use std::time::Duration;

use apalis::layers::retry::HasherRng;
use apalis::layers::retry::backoff::{ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff};
use apalis::prelude::*;
use apalis_redis::{Config, ConnectionManager, RedisStorage};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug)]
pub struct Mailer;

impl Mailer {
    pub async fn send(&self, to: &str, subject: &str) -> Result<(), BoxDynError> {
        println!("{subject} to {to}");
        Ok(())
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mail {
    pub to: String,
    pub subject: String,
}

pub async fn send_mail(mail: Mail, mailer: Data<Mailer>) -> Result<(), BoxDynError> {
    mailer.send(&mail.to, &mail.subject).await
}

pub async fn storage(url: &str) -> Result<RedisStorage<Mail, ConnectionManager>, BoxDynError> {
    let connection = apalis_redis::connect(url).await?;
    let config = Config::default().queue("mail").idempotency_ttl(Some(Duration::from_secs(600)));
    Ok(RedisStorage::new(connection).with_config(config))
}

pub fn task(mail: Mail) -> Task<Mail> {
    let key = format!("{}\n{}", mail.to, mail.subject);
    TaskBuilder::new(mail).idempotency_key(key).build()
}

pub fn retries() -> BackoffRetryPolicy<ExponentialBackoff> {
    let (first, longest) = (Duration::from_secs(1), Duration::from_secs(60));
    let backoff = ExponentialBackoffMaker::new(first, longest, 0.5, HasherRng::default());
    RetryPolicy::retries(5).with_backoff(backoff.expect("these are in range").make_backoff())
}
