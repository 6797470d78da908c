//! How a job is tested: `cargo run --example testing`. In a crate of yours these are `#[tokio::test]` functions.
//!
//! No Redis, no set-up, no waiting: each test has a rig of its own, and moves its clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use asynq::testing::{CrashPoint, Rig};
use asynq::{Client, State, job};

const DAY: Duration = Duration::from_secs(86_400);

/// The mail server of the tests: what was sent.
#[derive(Clone, Default)]
struct Outbox(Arc<Mutex<Vec<String>>>);

impl Outbox {
    fn send(&self, mail: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    }

    fn sent(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The job under test.
#[job(queue = "mail", retry = 5)]
async fn send_email(to: String, subject: String, State(outbox): State<Outbox>) -> Result<(), String> {
    outbox.send(format!("{subject} to {to}"));
    Ok(())
}

/// The code under test: welcomes a user, and asks how it goes a week later.
async fn sign_up(client: &Client, address: &str) -> asynq::Result<()> {
    SendEmail::new(address, "Welcome").enqueue(client).await?;
    SendEmail::new(address, "How do you like it?").enqueue(client).process_in(7 * DAY).await?;
    Ok(())
}

async fn signing_up_sends_two_mails() -> asynq::Result<()> {
    let outbox = Outbox::default();
    let rig = Rig::new().state(outbox.clone());
    sign_up(rig.client(), "ann@example.com").await?;

    let welcome = rig.assert_enqueued::<SendEmail>(|mail| mail.subject == "Welcome");
    assert_eq!(welcome.info.queue, "mail");
    rig.drain().await.assert_success();
    assert_eq!(outbox.sent(), ["Welcome to ann@example.com"]);

    let report = rig.advance(7 * DAY).await;
    println!("a week later:\n{report}");
    assert_eq!(outbox.sent().len(), 2);
    rig.assert_nothing_enqueued();
    Ok(())
}

async fn a_mail_server_that_is_away_is_tried_again() -> asynq::Result<()> {
    let outbox = Outbox::default();
    let rig = Rig::new().state(outbox.clone());
    rig.fail_attempt::<SendEmail>(1, "the mail server is away");
    rig.fail_attempt::<SendEmail>(2, "the mail server is still away");
    SendEmail::new("bob@example.com", "Welcome").enqueue(&rig).await?;

    let report = rig.advance(DAY).await;
    println!("with a mail server that is away at first:\n{report}");
    assert_eq!((report.retried(), report.succeeded()), (2, 1));
    assert_eq!(outbox.sent(), ["Welcome to bob@example.com"]);
    Ok(())
}

async fn a_worker_that_dies_loses_no_mail() -> asynq::Result<()> {
    let outbox = Outbox::default();
    let rig = Rig::new().state(outbox.clone());
    rig.crash_attempt::<SendEmail>(1, CrashPoint::BeforeHandler);
    SendEmail::new("eve@example.com", "Welcome").enqueue(&rig).await?;

    let report = rig.advance(Duration::from_secs(10)).await;
    println!("with a worker that dies:\n{report}");
    assert_eq!((report.crashed(), report.succeeded()), (1, 1));
    assert_eq!(outbox.sent(), ["Welcome to eve@example.com"]);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> asynq::Result<()> {
    signing_up_sends_two_mails().await?;
    a_mail_server_that_is_away_is_tried_again().await?;
    a_worker_that_dies_loses_no_mail().await?;
    println!("all tests passed");
    Ok(())
}
