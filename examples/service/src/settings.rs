//! [`Settings`]: what both programs are told by the environment.

use std::env::VarError;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result};

/// What both programs are told by the environment, beside asynq's own variables.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SERVICE_LISTEN`: where the web app listens; `127.0.0.1:3000` unless set, and port 0 for any that is free.
    pub listen: SocketAddr,
    /// `SERVICE_DATA`: the folder of users, pictures and the outbox; `service-data` unless set.
    pub data: PathBuf,
    /// `SERVICE_SMTP`: host and port of the mail server; mails are written into the outbox unless set.
    pub smtp: Option<String>,
    /// `SERVICE_OPERATOR`: who is mailed the reports; `operator@example.com` unless set.
    pub operator: String,
    /// `SERVICE_WEBHOOK`: the URL that is told of new users; nobody is unless set.
    pub webhook: Option<String>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Which variable is wrong.
    pub fn from_env() -> Result<Self> {
        Ok(Self {
            listen: read("SERVICE_LISTEN")?.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000))),
            data: read("SERVICE_DATA")?.unwrap_or_else(|| PathBuf::from("service-data")),
            smtp: read("SERVICE_SMTP")?,
            operator: read("SERVICE_OPERATOR")?.unwrap_or_else(|| "operator@example.com".to_owned()),
            webhook: read("SERVICE_WEBHOOK")?,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn read<T: FromStr<Err: Error + Send + Sync + 'static>>(name: &'static str) -> Result<Option<T>> {
    let text = match std::env::var(name) {
        Ok(text) if text.is_empty() => return Ok(None),
        Err(VarError::NotPresent) => return Ok(None),
        text => text.context(name)?,
    };
    text.parse().map(Some).with_context(|| format!("{name} is `{text}`"))
}
