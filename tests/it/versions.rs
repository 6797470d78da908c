//! Two programs of different versions on one Redis, as in a rolling deploy: `examples/versions_old.rs` and
//! `examples/versions_new.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use asynq::broker::MemoryBroker;
use asynq::clock::Clock;
use asynq::router::registered_aggregators;
use asynq::{
    Aggregator, BadPayload, BadPayloads, BoxError, Client, Ctx, GroupSettings, Job, Router, Server, Task,
    TaskOptions, TaskState, aggregator, job,
};
use asynq_testkit::{Child, RedisServer, eventually};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::examples::example;
use crate::support::{gone, in_state, info, redis, worker};

const TASKS: usize = 5;

fn spawn(program: &str, args: &[&str], redis: &RedisServer) -> Child {
    let mut command = example(program);
    command.args(args).env("ASYNQ_REDIS_URL", redis.url()).env("ASYNQ_CONCURRENCY", "4");
    Child::spawn(&mut command)
}

async fn produce(program: &str, redis: &RedisServer) {
    assert!(spawn(program, &["produce", &TASKS.to_string()], redis).ended().await, "{program} produces");
}

/// Waits until nothing is left to do, and gives the lines of these workers. Nothing was archived.
async fn drained(redis: &RedisServer, workers: Vec<Child>) -> Vec<String> {
    eventually("every task has run", async || {
        let left: Vec<String> = redis.command(&["KEYS", "asynq:{default}:t:*"]).await;
        left.is_empty().then_some(())
    })
    .await;
    let mut lines = Vec::new();
    for mut worker in workers {
        worker.signal("TERM");
        assert!(worker.ended().await);
        lines.extend(worker.lines().into_iter().filter(|line| line.contains(" program: ")));
    }
    lines.sort();
    lines
}

/// What the new program says of the tasks of one that is `old` or `new`.
fn said_by_new(of: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for number in 1..=TASKS {
        lines.extend(match of {
            "old" => [
                format!("new program: hello old{number} in English"),
                format!("new program: {number} EUR from old{number}"),
            ],
            _ => [
                format!("new program: hello new{number} in Italian"),
                format!("new program: {number} USD from new{number} and bob"),
            ],
        });
    }
    lines.sort();
    lines
}

#[tokio::test]
async fn a_new_worker_runs_what_an_old_producer_left() {
    let redis = RedisServer::start().await;
    produce("versions_old", &redis).await;
    let new = spawn("versions_new", &["work"], &redis);
    assert_eq!(drained(&redis, vec![new]).await, said_by_new("old"));
}

#[tokio::test]
async fn an_old_worker_leaves_to_a_new_one_what_it_cannot_read() {
    let redis = RedisServer::start().await;
    let old = spawn("versions_old", &["work"], &redis);
    produce("versions_new", &redis).await;
    eventually("all invoices are put back", async || {
        let waiting: usize = redis.command(&["ZCARD", "asynq:{default}:retry"]).await;
        let all: Vec<String> = redis.command(&["KEYS", "asynq:{default}:t:*"]).await;
        (waiting == TASKS && all.len() == TASKS).then_some(())
    })
    .await;
    let new = spawn("versions_new", &["work"], &redis);
    let lines = drained(&redis, vec![old, new]).await;
    // What was added to a payload, an old program ignores.
    let (greeted, invoiced): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.contains("hello"));
    assert_eq!(greeted, (1..=TASKS).map(|n| format!("old program: hello new{n}")).collect::<Vec<_>>());
    assert_eq!(
        invoiced,
        said_by_new("new").into_iter().filter(|line| line.contains("USD")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn two_versions_side_by_side_run_each_task_once() {
    let redis = RedisServer::start().await;
    let workers = vec![spawn("versions_old", &["work"], &redis), spawn("versions_new", &["work"], &redis)];
    tokio::join!(produce("versions_old", &redis), produce("versions_new", &redis));
    let mut runs: BTreeMap<String, usize> = BTreeMap::new();
    for line in drained(&redis, workers).await {
        assert!(!line.starts_with("old program: ") || !line.contains("USD"), "{line}");
        let who = line.split([' ', ':']).find(|word| {
            word.starts_with("old") && *word != "old" || word.starts_with("new") && *word != "new"
        });
        let kind = if line.contains("hello") { "greet" } else { "invoice" };
        *runs.entry(format!("{kind} {}", who.unwrap())).or_default() += 1;
    }
    let all = ["old", "new"].iter().flat_map(|of| (1..=TASKS).map(move |n| format!("{of}{n}")));
    let all = all.flat_map(|who| [format!("greet {who}"), format!("invoice {who}")]);
    assert_eq!(runs, all.map(|task| (task, 1)).collect());
}

#[derive(Deserialize, Serialize)]
struct OldMail {
    to: String,
}

impl From<OldMail> for Mail {
    fn from(OldMail { to }: OldMail) -> Self {
        Self { to: vec![to], subject: "none".to_owned() }
    }
}

#[job(name = "versions:mail", from = OldMail, unregistered, retention = "1h")]
async fn mail(to: Vec<String>, #[serde(default)] subject: String) -> Result<String, String> {
    Ok(format!("{subject} to {}", to.join(",")))
}

fn task(id: &str, payload: &str, version: Option<&str>) -> Task {
    let task = Task::new("versions:mail", payload.to_owned()).unwrap();
    let task = task.options(TaskOptions::new().task_id(id).retention(Duration::from_secs(60)));
    version.map_or(task.clone(), |version| task.header("asynq-version", version))
}

fn in_memory() -> Client {
    let clock = Clock::with_tokio_time("2033-05-18T03:33:20Z".parse().unwrap());
    Client::new(Arc::new(MemoryBroker::new(clock)))
}

/// Archived at once unless told otherwise, whatever is wrong; and told.
async fn what_cannot_be_read_is_archived(client: Client) {
    let (tell, mut told) = mpsc::channel(10);
    let server = worker(&client, Router::jobs(asynq::jobs![Mail]).unwrap(), &["default"])
        .on_archive(move |ended| {
            let bad = ended.error.and_then(|error| error.downcast_ref::<BadPayload>());
            tell.try_send((ended.task.id.clone(), bad.map(BadPayload::is_newer))).unwrap();
        })
        .start()
        .await
        .unwrap();
    for (id, payload, version, error) in [
        (
            "newer",
            r#"{"to":["a"]}"#,
            Some("3"),
            "it is of version 3, and this program reads versions 1, 2 only: a newer one has to run it",
        ),
        // It would be one of the second version: but it says nothing, so it is of the first.
        (
            "old",
            r#"{"to":["a"],"subject":"s"}"#,
            None,
            "field `to` (line 1, column 6): invalid type: sequence, expected a string",
        ),
        (
            "secret",
            r#"{"to":["a"],"subject":{"password":"hunter2"}}"#,
            Some("2"),
            "field `subject` (line 1, column 22): invalid type: map, expected a string",
        ),
    ] {
        client.enqueue(task(id, payload, version)).await.unwrap();
        let archived = in_state(&client, "default", id, TaskState::Archived).await;
        let said = format!("payload of `versions:mail` cannot be decoded: {error}: skip retry for the task");
        assert_eq!((archived.last_error, archived.retried), (said, 0));
        let (told_of, is_newer) = told.recv().await.unwrap();
        assert_eq!((told_of.as_ref(), is_newer), (id, Some(id == "newer")));
    }
    for (id, payload, version, result) in [
        ("first", r#"{"to":"a"}"#, None, "\"none to a\""),
        ("second", r#"{"to":["a"],"subject":"s"}"#, Some("2"), "\"s to a\""),
    ] {
        client.enqueue(task(id, payload, version)).await.unwrap();
        let done = in_state(&client, "default", id, TaskState::Completed).await;
        assert_eq!(done.result.unwrap(), result);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_archived_on_redis() {
    let (_redis, client) = redis().await;
    what_cannot_be_read_is_archived(client).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_archived_in_memory() {
    what_cannot_be_read_is_archived(in_memory()).await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_ever_read_is_archived_in_the_end() {
    let client = in_memory();
    let server = worker(&client, Router::jobs(asynq::jobs![Mail]).unwrap(), &["default"]);
    let server = server.bad_payloads(BadPayloads::put_back()).start().await.unwrap();
    client.enqueue(task("it", "nonsense", None)).await.unwrap();
    sleep(Duration::from_secs(58 * 60)).await;
    assert_eq!(info(&client, "default", "it").await.unwrap().state, TaskState::Retry);
    let archived = eventually("it is given up", async || {
        sleep(Duration::from_secs(10)).await;
        info(&client, "default", "it").await.filter(|info| info.state == TaskState::Archived)
    })
    .await;
    assert_eq!(archived.retried, 0);
    assert_eq!(
        archived.last_error,
        "payload of `versions:mail` cannot be decoded: line 1, column 2: not JSON: expected ident: skip retry for the task; \
         put back for a server that can read it, 120 times at most"
    );
    server.shutdown().await;

    let never = BadPayloads::PutBack { delay: Duration::from_secs(1), limit: 0 };
    let text = Server::builder(&client).bad_payloads(never).start().await.unwrap_err().to_string();
    assert_eq!(text, "invalid setting `bad_payloads`: limit must be 1 or more, got 0");
}

#[tokio::test]
async fn a_handler_made_by_hand_reads_each_version_too() {
    let client = Client::in_memory();
    let (tell, mut told) = mpsc::channel(1);
    let router = Router::new()
        .route(Mail::NAME, move |ctx: Ctx| {
            let tell = tell.clone();
            async move {
                let mail: Mail = ctx.job()?;
                tell.send(mail.to).await.map_err(|closed| closed.to_string())?;
                Ok::<_, BoxError>(())
            }
        })
        .unwrap();
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    client.enqueue(task("first", r#"{"to":"a"}"#, None)).await.unwrap();
    assert_eq!(told.recv().await.unwrap(), ["a"]);
    client.enqueue(task("bad", "", None)).await.unwrap();
    in_state(&client, "default", "bad", TaskState::Archived).await;
    server.shutdown().await;
}

#[aggregator(grace = "1s")]
async fn join_mails(mails: &[Mail]) -> Mail {
    Mail::new(mails.iter().flat_map(|mail| mail.to.clone()).collect(), "joined")
}

/// In a group, an old server archives what is nonsense, and leaves to a new one what is newer.
#[tokio::test(start_paused = true)]
async fn a_group_keeps_what_a_newer_program_can_read() {
    let client = in_memory();
    let grouped = |id, payload, version| task(id, payload, version).options(TaskOptions::new().group("g"));
    for (id, payload, version) in [
        ("first", r#"{"to":"a"}"#, None),
        ("second", r#"{"to":["b"]}"#, Some("2")),
        ("third", r#"{"recipients":"c"}"#, Some("3")),
        ("nonsense", "[]", None),
    ] {
        client.enqueue(grouped(id, payload, version)).await.unwrap();
    }
    let one = registered_aggregators().find(|one| one.name == "join_mails").unwrap();
    let server = worker(&client, Router::jobs(asynq::jobs![Mail]).unwrap(), &["default"])
        .aggregator(Aggregator::registered(one))
        .bad_payloads(BadPayloads::put_back());
    let server = server.start().await.unwrap();
    in_state(&client, "default", "nonsense", TaskState::Archived).await;
    gone(&client, "default", "first").await;
    gone(&client, "default", "second").await;
    sleep(Duration::from_secs(600)).await;
    let third = info(&client, "default", "third").await.unwrap();
    assert_eq!((third.state, third.last_error.as_str()), (TaskState::Aggregating, ""));
    server.shutdown().await;

    // A new one takes it.
    let (tell, mut told) = mpsc::channel(1);
    let newer = worker(&client, Router::new(), &["default"])
        .groups(GroupSettings::new().grace(Duration::from_secs(1)))
        .aggregator(move |_: String, tasks: Vec<Task>| {
            let tell = tell.clone();
            async move { tell.send(tasks.len()).await.map_err(|closed| closed.to_string()) }
        });
    let newer = newer.start().await.unwrap();
    assert_eq!(told.recv().await.unwrap(), 1);
    gone(&client, "default", "third").await;
    newer.shutdown().await;
}
