//! [`Mailer`]: sends mails by SMTP, or writes them into an outbox.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use asynq::{BoxError, SkipRetry};
use lettre::message::Mailbox;
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::settings::Settings;

/// Sends mails. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailer {
    from: Mailbox,
    /// Who is mailed what no user is to see.
    pub operator: String,
    transport: Transport,
}

#[derive(Clone, Debug)]
enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// A file `<id>.eml` for each mail.
    Outbox(AsyncFileTransport<Tokio1Executor>),
}

impl Mailer {
    /// Sends as the settings say.
    ///
    /// # Errors
    ///
    /// When the settings are wrong, or the outbox cannot be made.
    pub fn new(settings: &Settings) -> Result<Self> {
        let transport = match &settings.smtp {
            Some(server) => {
                let (host, port) = server.rsplit_once(':').context("SERVICE_SMTP must be `host:port`")?;
                let port = port.parse().with_context(|| format!("SERVICE_SMTP has the port `{port}`"))?;
                // Neither encrypted nor with a password: for a relay on the same machine or network.
                Transport::Smtp(
                    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).build(),
                )
            }
            None => Transport::Outbox(AsyncFileTransport::new(outbox(&settings.data)?)),
        };
        let from = "Service <service@example.com>".parse()?;
        Ok(Self { from, operator: settings.operator.clone(), transport })
    }

    /// Sends a mail.
    ///
    /// # Errors
    ///
    /// When it is not sent; a [`SkipRetry`] where trying again would not help.
    pub async fn send(&self, to: &str, subject: &str, text: String) -> Result<(), BoxError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.parse().map_err(SkipRetry::new)?)
            .subject(subject)
            .body(text)
            .map_err(SkipRetry::new)?;
        match &self.transport {
            Transport::Smtp(server) => match server.send(message).await {
                Ok(_) => Ok(()),
                // The server will say the same next time.
                Err(refused) if refused.is_permanent() => Err(SkipRetry::new(refused).into()),
                Err(error) => Err(error.into()),
            },
            Transport::Outbox(folder) => {
                folder.send(message).await?;
                Ok(())
            }
        }
    }
}

fn outbox(data: &Path) -> Result<PathBuf> {
    let folder = data.join("outbox");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
