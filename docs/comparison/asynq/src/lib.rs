//! The job, and the mailer that it is given.

use asynq::{State, job};

/// Sends mails.
#[derive(Clone, Debug)]
pub struct Mailer;

impl Mailer {
    /// Sends one.
    ///
    /// # Errors
    ///
    /// When it is not sent.
    pub async fn send(&self, to: &str, subject: &str) -> Result<(), String> {
        println!("{subject} to {to}");
        Ok(())
    }
}

/// Sends one e-mail.
///
/// # Errors
///
/// When it is not sent.
#[job(
    name = "mail:send",
    queue = "mail",
    retry = 5,
    backoff = exponential("1s", max = "1m"),
    timeout = "30s",
    unique_for = "10m"
)]
pub async fn send_mail(to: &str, subject: &str, State(mailer): State<Mailer>) -> Result<(), String> {
    mailer.send(to, subject).await
}
