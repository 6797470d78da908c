//! Every form of an aggregator.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use std::sync::Arc;

use asynq::{Ctx, ExtractError, FromContext, State, Task, aggregator, job};

/// Sends one mail.
#[job]
pub async fn send_mail(to: String) {
    drop(to);
}

/// Sends many.
#[job]
pub async fn send_digest(to: Vec<String>) {
    drop(to);
}

/// All of it.
#[aggregator(grace = "30s", max_delay = "1h30m", max_size = 10_000, timeout = "5m", queue = "mail", crate = ::asynq)]
pub async fn everything(
    group: &str,
    mut mails: Vec<SendMail>,
    ctx: &Ctx,
    State(prefix): State<Arc<str>>,
    other: Option<State<u8>>,
    #[extract] tenant: Tenant,
) -> Result<Option<SendDigest>, std::io::Error> {
    mails.truncate(5);
    let _ = (group, ctx, prefix, other, tenant.0);
    Ok(Some(SendDigest::new(mails.into_iter().map(|mail| mail.to).collect())))
}

/// From the context.
pub struct Tenant(String);

impl FromContext for Tenant {
    async fn from_context(ctx: &Ctx) -> Result<Self, ExtractError> {
        Ok(Self(ctx.queue().to_string()))
    }
}

#[aggregator]
async fn nothing(_mails: Vec<SendMail>) {}

#[aggregator(queue = "a")]
async fn lent(mails: &[SendMail], group: String) -> SendDigest {
    SendDigest::new(vec![format!("{group} {}", mails.len())])
}

#[aggregator(queue = "b")]
async fn maybe(group: &str, mails: Vec<SendMail>) -> Option<SendDigest> {
    (group.len() > mails.len()).then(|| SendDigest::new(vec![]))
}

#[aggregator(queue = "c")]
async fn untyped(mails: &Vec<SendMail>) -> Result<Task, String> {
    Task::new("digest", mails.len().to_string()).map_err(|error| error.to_string())
}

mod private {
    #[asynq::job]
    async fn hidden() {}

    #[asynq::aggregator]
    async fn of_hidden(jobs: Vec<Hidden>) -> Option<Hidden> {
        jobs.into_iter().next()
    }
}

fn main() {}
