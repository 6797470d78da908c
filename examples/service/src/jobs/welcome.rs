//! The welcome mail.

use asynq::{BoxError, State, job};

use crate::mailer::Mailer;

/// Welcomes a new user; at most once a day, however often somebody presses the button.
///
/// # Errors
///
/// When the mail is not sent.
#[job(
    name = "mail:welcome",
    queue = "mail",
    retry = 10,
    backoff = exponential("5s", max = "1h"),
    timeout = "30s",
    unique_for = "1d",
    unique_by(to),
    unique_until = ttl
)]
pub async fn send_welcome(to: &str, name: &str, State(mailer): State<Mailer>) -> Result<(), BoxError> {
    let text = format!("Hello {name},\n\nyour account is ready.\n");
    mailer.send(to, "Welcome", text).await
}
