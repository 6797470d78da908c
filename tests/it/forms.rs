//! Options of `#[job]` that change its form: what they make, and how it runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use asynq::router::CatalogJob;
use asynq::{Catalog, Client, Ctx, Job, Server, Task, TaskOptions, TaskState, job};
use serde::{Deserialize, Serialize};

use asynq_testkit::eventually;

use crate::support::in_state;

#[job(name = "forms:new", aliases = ["forms:old", "forms:older"])]
async fn renamed(text: String) {
    drop(text);
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Invoice {
    number: u32,
}

#[job(name = "forms:invoice", transparent, struct = "PayInvoice", queue = "forms", unregistered)]
async fn pay(invoice: &Invoice) {
    assert_eq!(invoice.number, 7);
}

#[job(name = "forms:text", transparent, unregistered)]
async fn transparent_text(text: &str) {
    drop(text.to_owned());
}

#[job(name = "forms:cased", rename_all = "camelCase", queue = "forms", unregistered)]
async fn cased(
    first_name: &str,
    #[serde(rename = "AGE")] age_now: u8,
    #[serde(default)] last_note: Option<Invoice>,
) {
    drop((first_name.to_owned(), age_now, last_note));
}

#[job(name = "forms:delayed", delay = "1h", retry = 3, timeout = "30s")]
async fn delayed() {}

async fn running(jobs: impl IntoIterator<Item = &'static asynq::Registration>) -> (Server, Client) {
    let client = Client::in_memory();
    let server = Server::builder(&client).jobs(jobs).concurrency(1).start().await.unwrap();
    (server, client)
}

#[tokio::test]
async fn an_alias_runs_what_was_enqueued_under_an_old_name() {
    let (server, client) = running(asynq::jobs![Renamed]).await;
    for name in ["forms:new", "forms:old", "forms:older"] {
        let options = TaskOptions::new().retention(Duration::from_secs(60));
        let task = Task::new(name, r#"{"text":"x"}"#).unwrap().options(options);
        let id = client.enqueue(task).await.unwrap().id.clone();
        in_state(&client, "default", &id, TaskState::Completed).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_job_that_is_not_registered_runs_where_it_is_named() {
    assert!(asynq::jobs().unwrap().iter().all(|job| job.name != "forms:invoice"));
    let (server, client) = running(asynq::jobs![PayInvoice]).await;
    let job = PayInvoice::new(Invoice { number: 7 });
    let id = job.enqueue(&client).retention(Duration::from_secs(60)).await.unwrap().id.clone();
    in_state(&client, "forms", &id, TaskState::Completed).await;
    server.shutdown().await;
}

#[test]
fn a_transparent_job_is_its_argument() {
    assert_eq!(PayInvoice::new(Invoice { number: 7 }).encode().unwrap(), r#"{"number":7}"#);
    assert_eq!(PayInvoice::decode(br#"{"number":8}"#).unwrap().invoice.number, 8);
    assert_eq!(TransparentText::new("a").encode().unwrap(), r#""a""#);
}

#[test]
fn names_of_fields_follow_the_case() {
    let job = Cased::new("Ann", 5, None);
    let json = r#"{"firstName":"Ann","AGE":5,"lastNote":null}"#;
    assert_eq!(job.encode().unwrap(), json);
    assert_eq!(Cased::decode(br#"{"firstName":"Ann","AGE":5}"#).unwrap().first_name, "Ann");
}

#[tokio::test]
async fn a_delay_counts_from_enqueuing_unless_another_is_given() {
    let client = Client::in_memory();
    let first = Delayed {}.enqueue(&client).await.unwrap();
    let other = Delayed {}.enqueue(&client).process_in(Duration::from_secs(10)).await.unwrap();
    let gap = first.next_process_at.unwrap().duration_since(other.next_process_at.unwrap());
    assert_eq!((first.state, other.state), (TaskState::Scheduled, TaskState::Scheduled));
    assert!((3_580..=3_590).contains(&gap.as_secs()), "{gap:?}");
}

#[test]
fn what_is_registered_can_be_asserted() {
    asynq::assert_registered!(Renamed, Delayed);
    let missing = std::panic::catch_unwind(|| asynq::assert_registered!(Renamed, PayInvoice)).unwrap_err();
    let text = missing.downcast_ref::<String>().unwrap();
    assert!(text.contains("[\"forms:invoice\"]") && text.contains("use my_jobs as _;"), "{text}");
}

/// How many of [`grind`] run at a time, and the most that ever did.
static GRINDING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Whether the slow one has seen that its time is over, and what it waits for then.
static TOLD: AtomicBool = AtomicBool::new(false);
static GO_ON: Mutex<Option<mpsc::Receiver<()>>> = Mutex::new(None);

#[job(name = "forms:grind", blocking, timeout = "1s", retry = never, unregistered)]
fn grind(text: &str, ctx: &Ctx) {
    MOST.fetch_max(GRINDING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    if text == "slow" {
        tokio::runtime::Handle::current().block_on(ctx.cancelled());
        TOLD.store(true, Ordering::SeqCst);
        let go_on = GO_ON.lock().unwrap().take().unwrap();
        go_on.recv().unwrap();
    }
    GRINDING.fetch_sub(1, Ordering::SeqCst);
    assert_ne!(text, "panics", "ground to a halt");
}

#[tokio::test]
async fn a_blocking_job_keeps_its_slot_until_its_thread_has_ended() {
    let (send, receive) = mpsc::channel();
    *GO_ON.lock().unwrap() = Some(receive);
    let (server, client) = running(asynq::jobs![Grind]).await;
    let slow = Grind::new("slow").enqueue(&client).await.unwrap().id.clone();
    let quick =
        Grind::new("quick").enqueue(&client).retention(Duration::from_secs(60)).await.unwrap().id.clone();
    let panics = Grind::new("panics").enqueue(&client).await.unwrap().id.clone();
    eventually("the slow one is past its time limit", async || TOLD.load(Ordering::SeqCst).then_some(()))
        .await;
    in_state(&client, "default", &slow, TaskState::Active).await;
    in_state(&client, "default", &quick, TaskState::Pending).await;
    send.send(()).unwrap();
    let late = in_state(&client, "default", &slow, TaskState::Archived).await;
    assert_eq!(late.last_error, "context deadline exceeded");
    in_state(&client, "default", &quick, TaskState::Completed).await;
    let panicked = in_state(&client, "default", &panics, TaskState::Archived).await;
    assert!(panicked.last_error.contains("ground to a halt"), "{}", panicked.last_error);
    assert_eq!(MOST.load(Ordering::SeqCst), 1, "one slot, one at a time");
    server.shutdown().await;
}

#[test]
fn the_catalog_says_what_a_producer_must_know() {
    let json = Catalog::of(asynq::jobs![Renamed, PayInvoice, Cased, Delayed]).to_string();
    let catalog: Catalog = json.parse().unwrap();
    assert_eq!(catalog, Catalog::of(asynq::jobs![Renamed, PayInvoice, Cased, Delayed]));
    let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
    for job in value["jobs"].as_object_mut().unwrap().values_mut() {
        assert_eq!(job["file"], file!());
        // Schemas have tests of their own (schemas.rs), as they need a feature.
        job.as_object_mut().unwrap().retain(|key, _| !["file", "line", "schema"].contains(&key.as_str()));
    }
    assert_eq!(
        value,
        serde_json::json!({ "version": 1, "jobs": {
            "forms:new": {
                "aliases": ["forms:old", "forms:older"], "struct": "Renamed", "queue": "default", "options": {},
                "payload": { "fields": { "text": { "type": "String", "required": true } } }
            },
            "forms:invoice": {
                "struct": "PayInvoice", "queue": "forms", "options": {}, "payload": { "type": "Invoice" }
            },
            "forms:cased": {
                "struct": "Cased", "queue": "forms", "options": {},
                "payload": { "fields": {
                    "firstName": { "type": "String", "required": true },
                    "AGE": { "type": "u8", "required": true },
                    "lastNote": { "type": "Option<Invoice>", "required": false }
                } }
            },
            "forms:delayed": {
                "struct": "Delayed", "queue": "default", "options": { "retry": 3, "timeout": 30, "delay": 3600 },
                "payload": { "fields": {} }
            }
        } })
    );
    let all: Catalog = asynq::export_catalog().unwrap().parse().unwrap();
    assert!(all.jobs.contains_key("forms:new") && !all.jobs.contains_key("forms:invoice"));
}

async fn pass_on(ctx: Ctx, next: asynq::Next) -> asynq::HandlerResult {
    next.run(ctx).await
}

/// Everything that can be said of a job, but for what belongs to one form alone.
#[job(
    name = "forms:told",
    queue = "forms",
    unique_for = "10m",
    unique_by(to_whom, copies),
    unique_until = start,
    group = "told",
    rate = "10/30s",
    concurrency = 4,
    layer = asynq::middleware_fn(pass_on),
    cron = "0 9 * * *",
    every = "1h30m",
    timezone = "Europe/Rome",
    backoff = exponential("2s", max = "10m"),
    on_cancel = archive,
    rename_all = "camelCase",
    blocking,
    unregistered
)]
fn told(#[serde(default)] to_whom: String, #[serde(default)] copies: u8) {
    drop((to_whom, copies));
}

#[job(name = "forms:told_otherwise", backoff = fixed("10s"), rate = "100/s", on_cancel = delete, unregistered)]
async fn told_otherwise() {}

#[job(name = "forms:told_by_function", backoff = |_, _| Duration::ZERO, unregistered)]
async fn told_by_function() {}

#[test]
fn the_catalog_says_all_that_was_said_of_a_job() {
    let catalog = Catalog::of(asynq::jobs![Told, ToldOtherwise, ToldByFunction]);
    let value = serde_json::to_value(&catalog).unwrap();
    let job = &value["jobs"]["forms:told"];
    assert_eq!(
        job["options"],
        serde_json::json!({
            "unique_for": 600, "unique_by": ["copies", "toWhom"], "unique_until": "start", "group": "told",
            "concurrency": 4, "rate": "10/30s", "backoff": "exponential(2s, max = 10m)", "on_cancel": "archive",
            "layer": "asynq::middleware_fn(pass_on)", "blocking": true
        })
    );
    assert_eq!(job["schedules"], serde_json::json!(["CRON_TZ=Europe/Rome 0 9 * * *", "@every 1h30m"]));
    assert_eq!(
        value["jobs"]["forms:told_otherwise"]["options"],
        serde_json::json!({ "rate": "100/s", "backoff": "fixed(10s)", "on_cancel": "delete" })
    );
    assert_eq!(
        value["jobs"]["forms:told_by_function"]["options"],
        serde_json::json!({ "backoff": "a function" })
    );
    assert_eq!(catalog.to_string().parse::<Catalog>().unwrap(), catalog);
}

/// What the jobs of a part of the program have in common.
mod mail {
    use std::time::Duration;

    use asynq::JobOptions;

    pub(super) const DEFAULTS: JobOptions =
        JobOptions::new().queue("forms").retry(5).unique_for(Duration::from_secs(600));
}

#[job(name = "forms:shared", defaults = mail::DEFAULTS, unique_until = start, unregistered)]
async fn shared(text: String) {
    drop(text);
}

#[job(name = "forms:overriding", retry = 1, defaults = mail::DEFAULTS, queue = "other", unique_by(text), unregistered)]
async fn overriding(text: String) {
    drop(text);
}

#[derive(asynq::Job, Deserialize, Serialize)]
#[job(name = "forms:contract", defaults = mail::DEFAULTS, timeout = "30s")]
struct SharedContract {}

#[tokio::test]
async fn options_that_jobs_share_are_defaults_of_their_defaults() {
    let options = |job: &CatalogJob| (job.queue.clone(), job.options.retry, job.options.unique_for);
    let catalog = Catalog::of(asynq::jobs![Shared, Overriding]);
    assert_eq!(options(&catalog.jobs["forms:shared"]), ("forms".to_owned(), Some(5), Some(600)));
    assert_eq!(options(&catalog.jobs["forms:overriding"]), ("other".to_owned(), Some(1), Some(600)));
    let client = Client::in_memory();
    let info = Overriding::new("x").enqueue(&client).await.unwrap();
    assert_eq!((info.queue.as_str(), info.max_retry), ("other", 1));
    let info = SharedContract {}.enqueue(&client).retry(9).await.unwrap();
    assert_eq!((info.queue.as_str(), info.max_retry, info.timeout), ("forms", 9, Duration::from_secs(30)));
}
