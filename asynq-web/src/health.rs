//! Whether we live, and whether stores can be reached: for who starts and restarts us, and for the list of instances.

use std::time::Duration;

use asynq_core::inspector::human;
use futures_util::future::join_all;

use crate::problem::Problem;
use crate::shared::Shared;
use crate::visit::Visit;

/// Who asks of the only store does not wait longer.
const LIMIT: Duration = Duration::from_secs(5);

/// Of several, none is waited for longer.
const SHORT: Duration = Duration::from_secs(1);

/// This process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The stores answer, too. Of several, one is enough, and those that are away are named: a Web UI that was taken out of
/// service for one of them would show none.
pub(crate) async fn ready(visit: Visit) -> Result<String, Problem> {
    if !visit.is_before_all() {
        answers(&visit.shared, LIMIT).await?;
        return Ok("ok\n".to_owned());
    }
    let told = join_all(visit.instances.all().map(async |shared| (shared, is_reached(shared).await))).await;
    let is_ready = told.iter().any(|(_, told)| told.is_ok());
    let away = told.into_iter().filter_map(|(shared, told)| {
        // A name is one line, whatever it holds.
        Some(format!("{}: {}\n", human::printable(&shared.name), told.err()?.detail))
    });
    let away: String = away.collect();
    if is_ready { Ok(format!("ok\n{away}")) } else { Err(Problem::new("unavailable", away.trim_end())) }
}

/// Whether a store of several can be reached.
pub(crate) async fn is_reached(shared: &Shared) -> Result<(), Problem> {
    answers(shared, SHORT).await
}

async fn answers(shared: &Shared, limit: Duration) -> Result<(), Problem> {
    match tokio::time::timeout(limit, shared.client.broker().ping()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Problem::new("unavailable", format!("{error:?}"))),
        Err(_) => {
            let seconds = limit.as_secs();
            let unit = if seconds == 1 { "second" } else { "seconds" };
            Err(Problem::new("unavailable", format!("Redis did not answer within {seconds} {unit}")))
        }
    }
}
