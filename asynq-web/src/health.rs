//! Whether we live, and whether Redis can be reached: for who starts and restarts us.

use std::time::Duration;

use crate::problem::Problem;
use crate::visit::Visit;

/// Who asks does not wait longer.
const LIMIT: Duration = Duration::from_secs(5);

/// This process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The broker answers, too.
pub(crate) async fn ready(visit: Visit) -> Result<&'static str, Problem> {
    match tokio::time::timeout(LIMIT, visit.shared.client.broker().ping()).await {
        Ok(Ok(())) => Ok("ok\n"),
        Ok(Err(error)) => Err(Problem::new("unavailable", format!("{error:?}"))),
        Err(_) => Err(Problem::new(
            "unavailable",
            format!("Redis did not answer within {} seconds", LIMIT.as_secs()),
        )),
    }
}
