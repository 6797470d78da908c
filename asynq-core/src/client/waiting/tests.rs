//! Waiting in virtual time: what is not told at once shows in the clock.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::WaitError;
use crate::broker::MemoryBroker;
use crate::broker::conformance::Corruption;
use crate::client::{Client, Enqueued};
use crate::clock::Clock;
use crate::inspector::Inspector;
use crate::job::{Job, JobOptions, Json};
use crate::router::{BoxError, Ctx, Outcome, RetryPolicy, Revoke, Router, SkipRetry};
use crate::server::Server;
use crate::task::{Task, TaskOptions, TaskState};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Shorter than the shortest time between two looks.
const AT_ONCE: Duration = Duration::from_millis(100);

macro_rules! job {
    ($name:ident, $task_type:literal, $output:ty, $options:expr) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct $name(u32);

        impl Job for $name {
            const NAME: &'static str = $task_type;
            const OPTIONS: JobOptions = $options;
            type Codec = Json;
            type Output = $output;
        }
    };
}

job!(Double, "double", u32, JobOptions::new().retry(1).retention(Duration::from_secs(600)));
job!(Unkept, "double", u32, JobOptions::new());
job!(Wrong, "double", String, JobOptions::new().retention(Duration::from_secs(600)));
job!(Note, "note", (), JobOptions::new());
job!(KeptNote, "note", (), JobOptions::new().retention(Duration::from_secs(600)));
job!(Raw, "raw", Outcome, JobOptions::new().retention(Duration::from_secs(600)));

/// A worker whose jobs take a minute each.
async fn world() -> (MemoryBroker, Client, Server) {
    let broker = MemoryBroker::new(Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap()));
    let client = Client::new(Arc::new(broker.clone()));
    let router = Router::new()
        .route("double", async |ctx: Ctx| {
            sleep(MINUTE).await;
            match std::str::from_utf8(ctx.payload())?.parse::<u32>()? {
                0 => Err(BoxError::from("nothing to double")),
                13 => Err(SkipRetry::new("unlucky").into()),
                14 => Err(Revoke::new("not wanted").into()),
                number => Ok(2 * number),
            }
        })
        .unwrap()
        .route("note", async |_: Ctx| sleep(MINUTE).await)
        .unwrap()
        .route("raw", async |ctx: Ctx| Ok::<_, BoxError>(Outcome { result: Some(ctx.payload().clone()) }))
        .unwrap();
    let server = Server::builder(&client)
        .router(router)
        .concurrency(200)
        .retry_policy(RetryPolicy::Fixed(10 * SECOND))
        .start()
        .await
        .unwrap();
    (broker, client, server)
}

async fn enqueue<J: Job>(client: &Client, job: J) -> Enqueued<J> {
    client.enqueue(job).await.unwrap()
}

/// How long something took, less than a second more than `expected`.
fn took(began: Instant, expected: Duration) {
    let took = began.elapsed();
    assert!(took >= expected && took < expected + AT_ONCE, "{took:?} instead of {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_job_returns_is_given_the_moment_it_ends() {
    let (_broker, client, server) = world().await;
    let began = Instant::now();
    let sent = enqueue(&client, Double(21)).await;
    assert_eq!(sent.wait(&client).await.unwrap(), 42);
    took(began, MINUTE);
    assert_eq!(sent.wait(&client).await.unwrap(), 42, "it is kept");
    assert_eq!(client.wait::<Double>("default", &sent.id).await.unwrap(), 42);
    let untyped = client.wait::<Task>("default", &sent.id).await.unwrap();
    assert_eq!(untyped.result.as_deref(), Some(b"42".as_slice()));
    took(began, MINUTE);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn bytes_are_given_as_they_are() {
    let (_broker, client, server) = world().await;
    let sent = enqueue(&client, Raw(7)).await;
    assert_eq!(sent.wait(&client).await.unwrap().result.as_deref(), Some(b"7".as_slice()));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn all_waits_of_a_client_share_one_subscription_which_ends_with_them() {
    let (broker, client, server) = world().await;
    let began = Instant::now();
    let sent = join_all((100..200).map(|number| enqueue(&client, Double(number)))).await;
    assert_eq!(broker.run_end_listeners(), 0);
    let waits = sent.iter().chain(&sent).map(|sent| sent.wait(&client).into_future());
    let listeners = async {
        sleep(SECOND).await;
        broker.run_end_listeners()
    };
    let (results, listeners) = tokio::join!(join_all(waits), listeners);
    took(began, MINUTE);
    assert_eq!(listeners, 1);
    assert_eq!(broker.run_end_listeners(), 0);
    let results: Vec<u32> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(results, (100..200).chain(100..200).map(|number| 2 * number).collect::<Vec<_>>());
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_one_who_reads_for_all_may_leave() {
    let (broker, client, server) = world().await;
    let began = Instant::now();
    let sent = enqueue(&client, Double(1)).await;
    let first = timeout(10 * SECOND, sent.wait(&client).into_future());
    let second = async {
        sleep(SECOND).await;
        sent.wait(&client).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err(), "it was dropped");
    assert_eq!(second.unwrap(), 2);
    took(began, MINUTE);
    drop(timeout(SECOND, enqueue(&client, Double(2)).await.wait(&client).into_future()).await);
    assert_eq!(broker.run_end_listeners(), 0, "nobody waits");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_when_it_is_for_good() {
    let (_broker, client, server) = world().await;
    let began = Instant::now();
    let error = enqueue(&client, Double(0)).await.wait(&client).await.unwrap_err();
    let elapsed = began.elapsed();
    assert!(elapsed > 2 * MINUTE + 9 * SECOND && elapsed < 2 * MINUTE + 12 * SECOND, "{elapsed:?}");
    let WaitError::Failed { error, retried, .. } = error else { panic!("{error}") };
    assert_eq!((error.as_str(), retried), ("nothing to double", 1));
    let began = Instant::now();
    let sent = enqueue(&client, Double(13)).await;
    let text = sent.wait(&client).await.unwrap_err().to_string();
    took(began, MINUTE);
    let expected = format!(
        "task `{}` in queue `default` failed after 0 retries: unlucky: skip retry for the task",
        sent.id
    );
    assert_eq!(text, expected);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn without_retention_a_value_is_refused_before_it_is_lost() {
    let (_broker, client, server) = world().await;
    let began = Instant::now();
    let sent = enqueue(&client, Unkept(1)).await;
    let error = sent.wait(&client).await.unwrap_err();
    assert!(matches!(error, WaitError::NoRetention { .. }));
    assert!(error.to_string().contains("give its job a retention (`retention = \"10m\"`"), "{error}");
    took(began, Duration::ZERO);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_returns_nothing_needs_no_retention_if_somebody_waits() {
    let (_broker, client, server) = world().await;
    let began = Instant::now();
    let sent = enqueue(&client, Note(1)).await;
    let (one, two) = tokio::join!(sent.wait(&client).into_future(), sent.wait(&client).into_future());
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    took(began, MINUTE);
    sent.wait(&client).await.unwrap();
    sleep(2 * MINUTE).await;
    assert!(matches!(sent.wait(&client).await, Err(WaitError::Gone { .. })), "that was long ago");
    let unwatched = enqueue(&client, Note(2)).await;
    sleep(2 * MINUTE).await;
    let gone = unwatched.wait(&client).await.unwrap_err().to_string();
    assert!(gone.contains("without retention and done before anybody waited"), "{gone}");
    let kept = enqueue(&client, KeptNote(3)).await;
    sleep(2 * MINUTE).await;
    kept.wait(&client).await.unwrap();
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_revoked_or_deleted_is_gone_at_once() {
    let (_broker, client, server) = world().await;
    let began = Instant::now();
    let revoked = enqueue(&client, Double(14)).await.wait(&client).await;
    assert!(matches!(revoked, Err(WaitError::Gone { .. })), "{revoked:?}");
    took(began, MINUTE);
    let later = Double(1).into_scheduled(HOUR);
    let sent = client.enqueue(later).await.unwrap();
    let delete = async {
        sleep(10 * SECOND).await;
        Inspector::new(&client).delete("default", &sent.id).await.unwrap();
    };
    let began = Instant::now();
    let (deleted, ()) = tokio::join!(sent.wait(&client).into_future(), delete);
    assert!(matches!(deleted, Err(WaitError::Gone { .. })), "{deleted:?}");
    took(began, 10 * SECOND);
    server.shutdown().await;
}

impl Double {
    fn into_scheduled(self, delay: Duration) -> Task {
        use crate::job::IntoTask;
        self.into_task().unwrap().options(TaskOptions::new().process_in(delay))
    }
}

#[tokio::test(start_paused = true)]
async fn time_limits_say_what_the_task_is_doing() {
    let (_broker, client, server) = world().await;
    let began = Instant::now();
    let sent = client.enqueue(Double(1).into_scheduled(HOUR)).await.unwrap();
    let error = sent.wait(&client).timeout(7 * SECOND).await.unwrap_err();
    took(began, 7 * SECOND);
    assert!(matches!(error, WaitError::TimedOut { state: TaskState::Scheduled, .. }), "{error:?}");
    assert!(error.to_string().ends_with("has not ended within 7s: it is scheduled"), "{error}");
    let began = Instant::now();
    assert!(sent.wait(&client).timeout(Duration::ZERO).await.is_err());
    took(began, Duration::ZERO);
    sent.wait(&client).timeout(Duration::MAX).await.unwrap();
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_result_of_another_type_and_a_blank_name_are_errors() {
    let (_broker, client, server) = world().await;
    let error = enqueue(&client, Wrong(1)).await.wait(&client).await.unwrap_err();
    assert!(matches!(error, WaitError::Undecodable { .. }), "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("expected a string"), "{cause}");
    let blank = client.wait::<Task>(" ", "id").await.unwrap_err();
    assert!(matches!(blank, WaitError::InvalidName(_)), "{blank:?}");
    let gone = client.wait::<Task>("nowhere", "id").await.unwrap_err();
    assert!(matches!(gone, WaitError::Gone { .. }), "{gone:?}");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn who_hears_nothing_looks_less_and_less_often() {
    let broker = MemoryBroker::new(Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap()));
    let client = Client::new(Arc::new(broker.clone()));
    let sent = client.enqueue(KeptNote(1)).await.unwrap();
    let began = Instant::now();
    // As a Go worker would: nothing is published.
    let end = async {
        sleep(100 * SECOND).await;
        broker.corrupt(Corruption::SetField {
            queue: sent.queue.clone(),
            id: sent.id.clone(),
            field: "state".to_owned(),
            value: "completed".into(),
        });
    };
    let (waited, ()) = tokio::join!(sent.wait(&client).into_future(), end);
    waited.unwrap();
    let late = began.elapsed().checked_sub(100 * SECOND).unwrap();
    assert!(late > Duration::ZERO && late < 6 * SECOND, "{late:?}");
}
