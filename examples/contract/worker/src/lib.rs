//! The handlers, with what only they need.

use std::io::Write;

use asynq::job;
use contract_jobs::SendEmail;

/// Writes the e-mail into a file, instead of sending it; gives its length.
///
/// # Errors
///
/// When the file cannot be written.
#[job(for = SendEmail, concurrency = 4)]
pub async fn send_email(SendEmail { to, text }: SendEmail) -> anyhow::Result<usize> {
    let mail = format!("To: {to}\n\n{text}\n");
    tempfile::tempfile()?.write_all(mail.as_bytes())?;
    Ok(mail.len())
}
