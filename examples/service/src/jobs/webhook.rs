//! Webhooks: telling other services what has happened here.

use std::time::Duration;

use asynq::{BoxError, RetryIn, SkipRetry, State, job};
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde_json::Value;

/// The longest time that a receiver may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Delivers an event to one receiver, until it takes it; gives the status that it answered with.
///
/// Delivery is at least once, so the event's ID travels along, for the receiver to know what it has had.
///
/// # Errors
///
/// When the receiver does not answer, or answers with anything but success.
#[job(
    name = "webhook:deliver",
    queue = "webhooks",
    retry = 12,
    backoff = exponential("1s", max = "1h"),
    timeout = "10s",
    retention = "1d",
    unique_for = "1d",
    unique_by(url, event_id),
    unique_until = ttl
)]
pub async fn deliver_webhook(
    url: &str,
    event_id: &str,
    event: &Value,
    State(http): State<reqwest::Client>,
) -> Result<u16, BoxError> {
    let request =
        http.post(url).header("webhook-id", event_id).json(event).build().map_err(SkipRetry::new)?;
    let response = http.execute(request).await?;
    let status = response.status();
    let answer = format!("{url} answers {status}");
    match status {
        _ if status.is_success() => Ok(status.as_u16()),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => match retry_after(&response) {
            Some(delay) => Err(RetryIn::new(delay, answer).into()),
            None => Err(answer.into()),
        },
        StatusCode::REQUEST_TIMEOUT => Err(answer.into()),
        _ if status.is_server_error() => Err(answer.into()),
        // The receiver does not want it, now or later.
        _ => Err(SkipRetry::new(answer).into()),
    }
}

/// When the receiver wants to be asked again, if it says so in seconds.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
