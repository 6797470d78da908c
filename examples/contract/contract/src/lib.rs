//! The jobs of a service, as producers and workers know them.

use serde::{Deserialize, Serialize};

/// Sends one e-mail. Its handler is in `contract-worker`.
#[derive(Debug, asynq::Job, Deserialize, Serialize)]
#[job(name = "email:send", queue = "mail", retry = 5, timeout = "30s", output(usize))]
pub struct SendEmail {
    /// Whom it goes to.
    pub to: String,
    /// What it says.
    pub text: String,
}
