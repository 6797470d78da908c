//! The testing kit, with jobs of the macro and as an application uses it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::testing::{RedisServer, Rig, TestCtx};
use asynq::{Client, Ctx, State, TaskState, aggregator, job};
use jiff::{Timestamp, Zoned};

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

#[job(name = "it:night", cron = "30 2 * * *", timezone = "Europe/Rome", unregistered)]
async fn night(ctx: &Ctx, State(nights): State<Nights>) {
    nights.0.lock().unwrap().push(ctx.scheduled_for().unwrap());
}

/// When [`night`] was to run.
#[derive(Clone, Default)]
struct Nights(Arc<Mutex<Vec<Timestamp>>>);

#[tokio::test]
async fn a_year_of_a_schedule_runs_each_tick_once_where_clocks_change_too() {
    let nights = Nights::default();
    let start = "2026-01-01T00:00:00+01:00[Europe/Rome]".parse::<Zoned>().unwrap();
    let rig = Rig::starting_at(start.timestamp())
        .server(|server| server.jobs(asynq::jobs![Night]).scheduler(true))
        .state(nights.clone());
    let year = Duration::from_secs(365 * 86_400);
    let report = rig.advance(year).await;
    report.assert_success();
    let nights = nights.0.lock().unwrap();
    let of_rome = |at: &Timestamp| at.to_zoned(start.time_zone().clone());
    assert!(nights.iter().all(|at| of_rome(at).strftime("%H:%M").to_string() == "02:30"));
    // Half past two does not come on the last Sunday in March, and comes twice on that of October.
    let on = |day: &str| nights.iter().filter(|at| of_rome(at).date().to_string() == day).count();
    assert_eq!((nights.len(), on("2026-03-28"), on("2026-03-29"), on("2026-10-25")), (365, 1, 0, 2));
    assert!(report.attempts().iter().zip(&*nights).all(|(attempt, night)| attempt.at == *night));
}

#[tokio::test]
async fn a_rig_leaves_schedules_alone_unless_told() {
    let rig = Rig::new().server(|server| server.jobs(asynq::jobs![Night])).state(Nights::default());
    assert_eq!(rig.advance(Duration::from_secs(2 * 86_400)).await.len(), 0);
}

#[job(name = "it:notice", queue = "it-notices", unregistered)]
async fn notice(text: String) {
    drop(text);
}

#[job(name = "it:digest", queue = "it-notices", unregistered)]
async fn send_digest(group: String, texts: Vec<String>, State(outbox): State<Outbox>) {
    outbox.0.lock().unwrap().push(format!("{group}: {}", texts.join(", ")));
}

/// Fails as often as the number says.
#[derive(Clone, Default)]
struct Refusals(Arc<AtomicU32>);

#[aggregator(grace = "30s", max_delay = "2m", max_size = 3)]
async fn digest(
    group: &str,
    notices: Vec<Notice>,
    State(refusals): State<Refusals>,
) -> Result<SendDigest, String> {
    let refuse = |left: u32| left.checked_sub(1);
    if refusals.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse).is_ok() {
        return Err("not now".to_owned());
    }
    // Of one second they come in any order.
    let texts = notices.into_iter().map(|notice| notice.text).collect::<BTreeSet<_>>();
    Ok(SendDigest::new(group, texts.into_iter().collect()))
}

fn digesting(outbox: &Outbox, refusals: &Refusals) -> Rig {
    Rig::new()
        .server(|server| server.jobs(asynq::jobs![Notice, SendDigest]))
        .state(outbox.clone())
        .state(refusals.clone())
}

#[tokio::test]
async fn a_group_is_aggregated_when_its_time_has_come() {
    let outbox = Outbox::default();
    let rig = digesting(&outbox, &Refusals::default());
    let sent = || std::mem::take(&mut *outbox.0.lock().unwrap());
    for text in ["one", "two"] {
        Notice::new(text).enqueue(&rig).group("ann").await.unwrap();
        assert_eq!(rig.advance(Duration::from_secs(29)).await.len(), 0);
    }
    // Nothing was added for half a minute.
    let report = rig.advance(Duration::from_secs(1)).await;
    assert_eq!((report.succeeded(), sent()), (1, vec!["ann: one, two".to_owned()]), "{report}");

    // There are enough of them; two groups are two digests.
    for (text, group) in [("a", "bob"), ("b", "bob"), ("c", "bob"), ("d", "eve")] {
        Notice::new(text).enqueue(&rig).group(group).await.unwrap();
    }
    rig.drain().await.assert_success();
    assert_eq!(sent(), ["bob: a, b, c"]);

    // The oldest has waited long enough, whatever is still added.
    for number in 0..5 {
        Notice::new(number.to_string()).enqueue(&rig).group("dan").await.unwrap();
        rig.advance(Duration::from_secs(29)).await;
    }
    assert_eq!(sent(), ["eve: d", "dan: 0, 1, 2"]);
}

#[tokio::test]
async fn an_aggregator_that_fails_is_tried_again() {
    let (outbox, refusals) = (Outbox::default(), Refusals(Arc::new(AtomicU32::new(2))));
    let rig = digesting(&outbox, &refusals);
    Notice::new("one").enqueue(&rig).group("ann").await.unwrap();
    // Ready after 30 seconds; then it rests for 5, and for 10.
    assert_eq!(rig.advance(Duration::from_secs(44)).await.len(), 0);
    assert_eq!(refusals.0.load(Ordering::SeqCst), 0);
    assert_eq!(rig.advance(Duration::from_secs(1)).await.succeeded(), 1);
    assert_eq!(*outbox.0.lock().unwrap(), ["ann: one"]);
}
