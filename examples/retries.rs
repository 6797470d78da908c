//! What becomes of failures: `cargo run --example retries`.
//!
//! When a failed job is tried again, which errors end it at once, and who is told. It needs no Redis and ends by itself.

use std::time::Duration;

use asynq::{ArchiveLimits, Client, Fate, RetryIn, RetryPolicy, Server, SkipRetry, State, job};
use tokio::sync::mpsc;

/// Charges a card. A gateway that is down is given time; a card that is stolen needs no second attempt.
#[job(retry = 2, backoff = exponential("1s", max = "10s"))]
async fn charge(card: String) -> Result<(), asynq::BoxError> {
    match card.as_str() {
        "stolen" => Err(SkipRetry::new("the card is blocked").into()),
        "busy" => Err(RetryIn::new(Duration::from_secs(1), "the gateway asks for a second").into()),
        "broken" => Err("no answer".into()),
        _ => Ok(()),
    }
}

/// Sends a webhook; each failure is followed by a second of waiting.
#[job(retry = 1, backoff = fixed("1s"))]
async fn notify(url: String, State(ends): State<mpsc::Sender<String>>) -> Result<(), String> {
    if ends.is_closed() {
        return Err("nobody listens".to_owned());
    }
    Err(format!("{url} answers 503"))
}

#[tokio::main]
async fn main() -> asynq::Result<()> {
    let client = Client::in_memory();
    let (sender, mut ends) = mpsc::channel(20);
    let (given_up, other) = (sender.clone(), sender.clone());
    let server = Server::builder(&client)
        .registered()
        .state(sender)
        // For jobs without a policy of their own.
        .retry_policy(RetryPolicy::Fixed(Duration::from_secs(2)))
        .archive_limits(ArchiveLimits { tasks: 1_000, ..ArchiveLimits::default() })
        .on_error(|ended, error| println!("{} failed: {error}", ended.task.id))
        .on_archive(move |ended| drop(given_up.try_send(format!("{} is given up", ended.task.id))))
        .on_end(move |ended| match ended.fate {
            Fate::Deleted => drop(other.try_send(format!("{} is done", ended.task.id))),
            Fate::Retry(at) => println!("{} is tried again at {at:.0}", ended.task.id),
            _ => {}
        })
        .start()
        .await?;

    for card in ["good", "stolen", "busy", "broken"] {
        Charge::new(card).enqueue(&client).task_id(card).await?;
    }
    Notify::new("https://example.com/hook").enqueue(&client).task_id("hook").await?;
    for _ in 0..5 {
        if let Some(end) = ends.recv().await {
            println!("{end}");
        }
    }
    server.shutdown().await;
    Ok(())
}
