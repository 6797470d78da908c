//! What `#[job]` makes: first without a server, then run by one.
//!
//! All tests of this binary share one list of registered jobs, so none here needs a `State` that some server would
//! have to be given; `trybuild/pass/requirements.rs` has those.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use asynq::router::registered;
use asynq::{
    BoxError, Client, Ctx, ExtractError, FromContext, Handler, Job, JobOptions, Router, Server, State, Task,
    TaskOptions, TaskState, job,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::in_state;

/// Shouts.
#[job]
async fn shout(text: &str, times: usize) -> Result<String, String> {
    if times == 0 {
        return Err("nothing to shout".to_owned());
    }
    Ok(text.to_uppercase().repeat(times))
}

#[job(
    name = "options:all",
    queue = "critical",
    retry = 5,
    timeout = "30s",
    expires_in = "1h30m",
    unique_for = "10m",
    retention = "1d",
    group = "digest"
)]
async fn with_all_options() {}

#[job(retry = never)]
async fn not_retried() {}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Address {
    street: String,
}

#[job(name = "fields")]
#[expect(clippy::too_many_arguments, reason = "one of each kind")]
async fn fields(
    text: String,
    lent: &str,
    list: &[u8],
    path: &Path,
    address: &Address,
    maybe: Option<u32>,
    moved: Option<Address>,
    #[serde(default)] defaulted: u32,
    #[serde(rename = "wireName")] renamed: bool,
    #[serde(flatten)] rest: BTreeMap<String, u8>,
    r#type: char,
    _kept: (),
    mut changed: u8,
    state: Option<State<u64>>,
    ctx: &Ctx,
) {
    changed += 1;
    drop((
        text, lent, list, path, address, maybe, moved, defaulted, renamed, rest, r#type, changed, state, ctx,
    ));
}

mod nested {
    #[asynq::job(name = "nested:shout")]
    pub(super) async fn shout(text: &str) -> Result<(), super::BoxError> {
        super::shout(text, 1).await?;
        Ok(())
    }
}

struct Tenant(String);

impl FromContext for Tenant {
    async fn from_context(ctx: &Ctx) -> Result<Self, ExtractError> {
        let name = ctx.headers().get("tenant").cloned();
        name.map(Self).ok_or_else(|| ExtractError::new("Tenant", "no header `tenant`"))
    }
}

#[job(retention = "1h")]
async fn report(
    title: &str,
    pages: &[u32],
    mut total: u32,
    optional: Option<State<&'static str>>,
    #[extract] Tenant(tenant): Tenant,
    ctx: &Ctx,
) -> Result<String, BoxError> {
    tokio::task::yield_now().await;
    total += pages.iter().sum::<u32>();
    let State(format) = optional.ok_or("no format")?;
    Ok(format!("{title} of {tenant} as {format}: {total} pages, {}", ctx.task_type()))
}

/// A worker in this process that runs the job `J` and nothing else.
async fn running<J: Job>() -> (Server, Client) {
    let jobs = registered().unwrap();
    let job = jobs.iter().find(|job| job.name == J::NAME).unwrap();
    let router = Router::new().handle(job.name, Handler::registered(job.run)).unwrap();
    let client = Client::in_memory();
    let server = Server::builder(&client).router(router).queues([("default", 1)]).state("text");
    (server.start().await.unwrap(), client)
}

fn all_fields() -> Fields {
    Fields {
        text: "a".into(),
        lent: "b".into(),
        list: vec![1, 2],
        path: "/tmp".into(),
        address: Address { street: "c".into() },
        maybe: None,
        moved: None,
        defaulted: 3,
        renamed: true,
        rest: BTreeMap::from([("extra".into(), 4)]),
        r#type: 'd',
        _kept: (),
        changed: 5,
    }
}

/// The fields of a job, decoded from JSON.
fn decoded<J: Job>(payload: &serde_json::Value) -> J {
    J::decode(payload.to_string().as_bytes()).unwrap()
}

#[test]
fn the_task_type_is_the_name_of_the_function_unless_given() {
    assert_eq!(Shout::NAME, "shout");
    assert_eq!(nested::Shout::NAME, "nested:shout");
    assert_eq!(WithAllOptions::NAME, "options:all");
}

#[test]
fn options_become_defaults() {
    let options = JobOptions::new()
        .queue("critical")
        .retry(5)
        .timeout(Duration::from_secs(30))
        .expires_in(Duration::from_secs(5_400))
        .unique_for(Duration::from_secs(600))
        .retention(Duration::from_secs(86_400))
        .group("digest");
    assert_eq!(WithAllOptions::OPTIONS, options);
    assert_eq!(NotRetried::OPTIONS, JobOptions::new().retry(0));
    assert_eq!(Shout::OPTIONS, JobOptions::new());
    assert_eq!(Shout::OPTIONS.task_options(), TaskOptions::new());
}

#[test]
fn the_payload_is_an_object_of_the_arguments() {
    let payload: serde_json::Value = serde_json::from_slice(&all_fields().encode().unwrap()).unwrap();
    let expected = json!({
        "text": "a", "lent": "b", "list": [1, 2], "path": "/tmp", "address": { "street": "c" }, "maybe": null,
        "moved": null, "defaulted": 3, "wireName": true, "extra": 4, "type": "d", "_kept": null, "changed": 5,
    });
    assert_eq!(payload, expected);
    assert_eq!(Shout::new("a", 2).encode().unwrap(), r#"{"text":"a","times":2}"#);
    assert_eq!(NotRetried {}.encode().unwrap(), "{}");
}

#[test]
fn what_is_encoded_is_decoded() {
    let job = Fields::decode(&all_fields().encode().unwrap()).unwrap();
    assert_eq!(job.encode().unwrap(), all_fields().encode().unwrap());
    assert_eq!(job.address, Address { street: "c".into() });
    assert_eq!(job.path, Path::new("/tmp"));
}

#[test]
fn an_option_and_a_defaulted_argument_may_be_missing() {
    let job: Fields = decoded(&json!({
        "text": "a", "lent": "b", "list": [], "path": "", "address": { "street": "" }, "wireName": false,
        "type": "d", "_kept": null, "changed": 0, "unknown": 9,
    }));
    assert_eq!((job.maybe, job.moved, job.defaulted), (None, None, 0));
    assert_eq!(job.rest, BTreeMap::from([("unknown".into(), 9)]), "the rest goes where it is flattened");
}

#[test]
fn fields_that_are_not_arguments_are_ignored() {
    let job: Shout = decoded(&json!({ "text": "a", "times": 1, "added_later": true }));
    assert_eq!((job.text.as_str(), job.times), ("a", 1));
}

#[test]
fn a_payload_of_another_form_is_refused_with_the_argument_in_the_message() {
    for (payload, about) in [
        (r#"{"text":"a"}"#, "missing field `times`"),
        (r#"{"text":1,"times":1}"#, "expected a string"),
        ("[]", "struct Shout"),
        ("", "EOF"),
    ] {
        let error = Shout::decode(payload.as_bytes()).err().unwrap();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(about), "{payload}: {cause}");
    }
}

#[test]
fn new_takes_any_text_for_a_string() {
    let jobs = [Shout::new("a", 1), Shout::new(String::from("a"), 1), Shout::new('a', 1)];
    assert!(jobs.iter().all(|job| job.text == "a"));
}

#[test]
fn a_job_becomes_a_task_of_its_type_with_its_payload() {
    let task = Shout::new("a", 2).to_task().unwrap();
    assert_eq!(task.task_type().as_str(), "shout");
    assert_eq!(task.payload().unwrap(), r#"{"text":"a","times":2}"#);
}

#[tokio::test]
async fn the_function_can_be_called_as_written() {
    assert_eq!(shout("a", 2).await, Ok("AA".to_owned()));
    assert_eq!(shout("a", 0).await, Err("nothing to shout".to_owned()));
    nested::shout("a").await.unwrap();
}

#[test]
fn the_output_is_what_the_function_returns_on_success() {
    fn output<J: Job<Output = T>, T>() {}
    output::<Shout, String>();
    output::<nested::Shout, ()>();
    output::<NotRetried, ()>();
}

#[test]
fn every_job_is_registered_once_with_its_place() {
    let jobs = registered().unwrap();
    let names: Vec<_> = jobs.iter().map(|job| job.name).collect();
    for name in ["fields", "nested:shout", "not_retried", "options:all", "report", "shout"] {
        assert_eq!(names.iter().filter(|registered| **registered == name).count(), 1, "{name}");
    }
    assert!(names.is_sorted());

    let shout = jobs.iter().find(|job| job.name == "shout").unwrap();
    assert_eq!((shout.job, shout.options), ("Shout", Shout::OPTIONS));
    let line = include_str!("job.rs").lines().position(|line| line.starts_with("async fn shout(")).unwrap();
    // The attribute is one line above the function; lines count from one.
    assert_eq!(shout.place(), format!("Shout ({}:{line})", file!()));
}

#[tokio::test]
async fn a_worker_lends_the_payload_and_gives_the_rest() {
    let (server, client) = running::<Report>().await;
    let job = Report::new("Sales", vec![1, 2], 10).enqueue(&client).header("tenant", "acme");
    let id = job.await.unwrap().into_info().id;
    let done = in_state(&client, "default", id, TaskState::Completed).await;
    assert_eq!(done.result.unwrap(), r#""Sales of acme as text: 13 pages, report""#);
    server.shutdown().await;
}

#[tokio::test]
async fn a_payload_that_does_not_fit_is_archived_at_once() {
    let (server, client) = running::<Report>().await;
    let id = client.enqueue(Task::new("report", r#"{"title":1}"#).unwrap()).await.unwrap().into_info().id;
    let archived = in_state(&client, "default", id, TaskState::Archived).await;
    assert!(archived.last_error.starts_with("payload of `report` cannot be decoded: "), "{archived:?}");
    assert_eq!(archived.retried, 0);
    server.shutdown().await;
}

#[tokio::test]
async fn an_argument_that_cannot_be_made_fails_the_attempt() {
    let (server, client) = running::<Report>().await;
    let id = Report::new("Sales", vec![], 0).enqueue(&client).await.unwrap().into_info().id;
    let failed = in_state(&client, "default", id, TaskState::Retry).await;
    assert_eq!(failed.last_error, "cannot give the job its `Tenant`: no header `tenant`");
    server.shutdown().await;
}

#[tokio::test]
async fn a_job_without_arguments_runs_on_any_payload() {
    let (server, client) = running::<NotRetried>().await;
    for payload in ["", "null", "{}", "not JSON"] {
        let kept = TaskOptions::new().retention(Duration::from_secs(60));
        let task = Task::new("not_retried", payload).unwrap().options(kept);
        let id = client.enqueue(task).await.unwrap().into_info().id;
        in_state(&client, "default", id, TaskState::Completed).await;
    }
    server.shutdown().await;
}
