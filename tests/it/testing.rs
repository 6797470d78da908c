//! The testing kit, with jobs of the macro and as an application uses it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::testing::{RedisServer, Rig, TestCtx};
use asynq::{Client, Ctx, State, TaskState, job};

/// What [`welcome`] shares.
#[derive(Clone, Default)]
pub(crate) struct Outbox(Arc<Mutex<Vec<String>>>);

#[job(name = "it:welcome", queue = "it-welcome", retry = 2)]
async fn welcome(to: String, ctx: &Ctx, State(outbox): State<Outbox>) -> Result<usize, String> {
    outbox.0.lock().unwrap().push(format!("{to} {}", ctx.retried()));
    Ok(to.len())
}

async fn sign_up(client: &Client, to: &str) {
    Welcome::new(to).enqueue(client).await.unwrap();
}

#[tokio::test]
async fn a_rig_runs_registered_jobs() {
    let outbox = Outbox::default();
    let rig = Rig::new().state(outbox.clone());
    sign_up(rig.client(), "ann").await;
    let stored = rig.assert_enqueued::<Welcome>(|welcome| welcome.to == "ann");
    assert_eq!((stored.info.queue.as_str(), stored.info.state), ("it-welcome", TaskState::Pending));
    rig.fail_attempt::<Welcome>(1, "boom");
    let report = rig.advance(Duration::from_secs(60)).await;
    assert_eq!((report.retried(), report.succeeded()), (1, 1), "{report}");
    assert_eq!(*outbox.0.lock().unwrap(), ["ann 1"]);
}

#[tokio::test]
async fn a_value_that_is_missing_fails_only_the_job_that_needs_it() {
    let rig = Rig::new();
    sign_up(rig.client(), "ann").await;
    let report = rig.drain().await;
    assert_eq!(report.retried(), 1);
    assert!(report.errors()[0].contains("the server was not given it: `.state(value)`"), "{report}");
}

#[tokio::test]
async fn a_job_is_performed_or_called() {
    let outbox = Outbox::default();
    let rig = Rig::new().state(outbox.clone());
    assert_eq!(rig.perform(Welcome::new("ann")).await.unwrap(), 3);
    let ctx = TestCtx::new().retried(2).build();
    assert_eq!(welcome("bob".to_owned(), &ctx, State::new(outbox.clone())).await, Ok(3));
    assert_eq!(*outbox.0.lock().unwrap(), ["ann 0", "bob 2"]);
}

#[tokio::test]
async fn a_throw_away_redis_answers_and_goes() {
    let redis = RedisServer::start().await;
    let client = redis.client().await;
    sign_up(&client, "ann").await;
    let url = redis.url().to_owned();
    drop(redis);
    assert!(Client::connect(&url).await.is_err());
}
