//! Errors of every kind: enums with sources, contexts, `?` across them, and what says what becomes of the task.
#![forbid(unsafe_code)]
#![deny(warnings)]

use std::error::Error;
use std::fmt;

use anyhow::Context;
use asynq::{BoxError, Job, Revoke, RetryIn, SkipRetry, job};

#[derive(Debug)]
enum MailError {
    Address(std::num::ParseIntError),
    Refused,
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mail")
    }
}

impl Error for MailError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Address(error) => Some(error),
            Self::Refused => None,
        }
    }
}

impl From<std::num::ParseIntError> for MailError {
    fn from(error: std::num::ParseIntError) -> Self {
        Self::Address(error)
    }
}

#[job]
async fn custom(text: &str) -> Result<u32, MailError> {
    let number = text.parse()?;
    if number == 0 { Err(MailError::Refused) } else { Ok(number) }
}

#[job]
async fn with_context(text: &str) -> anyhow::Result<u32> {
    custom(text).await.with_context(|| format!("for {text}"))
}

#[job]
async fn told(text: &str) -> Result<(), BoxError> {
    match text {
        "never" => Err(SkipRetry::new(MailError::Refused).into()),
        "soon" => Err(RetryIn::new(std::time::Duration::from_secs(90), MailError::Refused).into()),
        "gone" => Err(Revoke::new(MailError::Refused).into()),
        _ => Ok(custom(text).await.map(drop)?),
    }
}

#[job]
async fn of_the_library(client: &asynq::Ctx) -> asynq::Result<()> {
    Custom::new("1").enqueue(client).await?;
    Ok(())
}

#[job]
async fn boxed(text: String) -> Result<String, Box<dyn Error + Send + Sync>> {
    if text.is_empty() { Err("empty")? } else { Ok(text) }
}

fn output<J: Job<Output = T>, T>() {}

fn main() {
    output::<Custom, u32>();
    output::<WithContext, u32>();
    output::<Told, ()>();
    output::<OfTheLibrary, ()>();
    output::<Boxed, String>();
}
