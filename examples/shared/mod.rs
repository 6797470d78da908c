//! The job that `producer` and `worker` share. In a real project it lives in a crate of its own.

use asynq::{Ctx, job};

/// Sends one e-mail.
#[job(queue = "mail", retry = 5, timeout = "30s")]
pub(crate) async fn send_email(to: String, subject: String, ctx: &Ctx) -> Result<(), String> {
    println!("sent {subject:?} to {to}, task {} at attempt {}", ctx.task_id(), ctx.retried() + 1);
    Ok(())
}
