//! Groups: typed aggregators, and the real Go asynq beside ours.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use asynq::broker::MemoryBroker;
use asynq::clock::Clock;
use asynq::router::{Handler, registered, registered_aggregators};
use asynq::{
    Aggregator, BoxError, Client, Ctx, GroupSettings, QueueName, Router, Server, ServerBuilder, State, Task,
    TaskInfo, TaskOptions, TaskState, aggregator, job,
};
use asynq_testkit::{GoPeer, RedisServer, eventually};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::support::{Log, redis};

/// What was sent: to whom, and the lines.
type Sent = mpsc::Sender<(String, Vec<String>)>;

#[job(name = "groups:mail", queue = "groups")]
async fn group_mail(line: String) {
    panic!("{line} is sent alone");
}

#[job(name = "groups:sms", queue = "groups")]
async fn group_sms(text: String) {
    panic!("{text} is sent alone");
}

#[job(name = "groups:digest", queue = "groups")]
async fn group_digest(to: String, lines: Vec<String>, State(sent): State<Sent>) -> Result<(), BoxError> {
    Ok(sent.send((to, lines)).await?)
}

/// With everything that an aggregator can be given.
#[aggregator(grace = "30s", max_delay = "5m", max_size = 100, timeout = "1m", queue = "groups")]
async fn digest_mails(
    group: &str,
    mails: Vec<GroupMail>,
    ctx: &Ctx,
    State(_): State<Sent>,
) -> Result<GroupDigest, BoxError> {
    assert_eq!((ctx.group(), ctx.queue().as_str()), (Some(group), "groups"));
    if mails.iter().any(|mail| mail.line == "fail") {
        return Err("told to fail".into());
    }
    let lines = mails.into_iter().map(|mail| mail.line).collect();
    Ok(GroupDigest::new(format!("mail to {group}"), lines))
}

#[aggregator(grace = "10s")]
async fn digest_sms(sms: &[GroupSms], group: String) -> Option<GroupDigest> {
    let lines = sms.iter().map(|sms| sms.text.clone()).collect::<Vec<_>>();
    (lines != ["drop"]).then(|| GroupDigest::new(format!("sms to {group}"), lines))
}

fn in_memory() -> Client {
    let clock = Clock::with_tokio_time(Clock::system().now());
    Client::new(Arc::new(MemoryBroker::new(clock)))
}

/// A server of the jobs above, with their aggregators.
fn server(client: &Client) -> (ServerBuilder, mpsc::Receiver<(String, Vec<String>)>) {
    let (sender, sent) = mpsc::channel::<(String, Vec<String>)>(100);
    let mut router = Router::new();
    for job in registered().unwrap().into_iter().filter(|job| job.name.starts_with("groups:")) {
        router = router.handle(job.name, Handler::registered(job.run)).unwrap();
    }
    let mut server = Server::builder(client).router(router).queues([("groups", 1)]).state::<Sent>(sender);
    for one in registered_aggregators().filter(|one| one.file.ends_with("groups.rs")) {
        server = server.aggregator(Aggregator::registered(one));
    }
    (server, sent)
}

/// What was sent next, its lines sorted: those of one second come in any order.
async fn next(sent: &mut mpsc::Receiver<(String, Vec<String>)>) -> (String, Vec<String>) {
    let day = Duration::from_secs(24 * 3_600);
    let (to, mut lines) = tokio::time::timeout(day, sent.recv()).await.expect("within a day").unwrap();
    lines.sort();
    (to, lines)
}

async fn info(client: &Client, id: &str) -> Option<TaskInfo> {
    crate::support::info(client, "groups", id).await
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn jobs_of_one_group_are_made_into_one() {
    let client = in_memory();
    let (server, mut sent) = server(&client);
    let server = server.start().await.unwrap();
    let began = Instant::now();
    for line in ["one", "two", "three"] {
        GroupMail::new(line).enqueue(&client).group("ann").await.unwrap();
    }
    GroupMail::new("other").enqueue(&client).group("bob").await.unwrap();
    let mut both = [next(&mut sent).await, next(&mut sent).await];
    both.sort();
    assert_eq!(both[0], ("mail to ann".to_owned(), lines(&["one", "three", "two"])));
    assert_eq!(both[1], ("mail to bob".to_owned(), lines(&["other"])));
    assert!((29..=31).contains(&began.elapsed().as_secs()), "the attribute's grace period");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn each_job_of_a_mixed_group_goes_to_its_own_aggregator() {
    let client = in_memory();
    let (server, mut sent) = server(&client);
    let server = server
        .aggregator(|group: String, tasks: Vec<Task>| async move {
            let types = tasks.iter().map(|task| task.task_type().as_str().to_owned()).collect();
            GroupDigest::new(format!("rest of {group}"), types)
        })
        .start()
        .await
        .unwrap();
    let options = TaskOptions::new().queue("groups").group("ann");
    client.enqueue(Task::new("untyped", "").unwrap().options(options)).await.unwrap();
    GroupSms::new("a").enqueue(&client).group("ann").await.unwrap();
    GroupMail::new("b").enqueue(&client).group("ann").await.unwrap();
    GroupSms::new("c").enqueue(&client).group("ann").await.unwrap();
    let mut all = [next(&mut sent).await, next(&mut sent).await, next(&mut sent).await];
    all.sort();
    assert_eq!(
        all,
        [
            ("mail to ann".to_owned(), lines(&["b"])),
            ("rest of ann".to_owned(), lines(&["untyped"])),
            ("sms to ann".to_owned(), lines(&["a", "c"])),
        ]
    );
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_keeps_its_own_tasks_only() {
    let client = in_memory();
    let (server, mut sent) = server(&client);
    let server = server.start().await.unwrap();
    GroupMail::new("fail").enqueue(&client).group("ann").task_id("mail").await.unwrap();
    GroupSms::new("drop").enqueue(&client).group("ann").task_id("sms").await.unwrap();
    sleep(Duration::from_secs(300)).await;
    assert_eq!(info(&client, "mail").await.unwrap().state, TaskState::Aggregating);
    assert!(info(&client, "sms").await.is_none(), "its aggregator is done with it");
    assert!(sent.try_recv().is_err());
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_no_aggregator_takes_stays_and_does_not_hold_up_the_others() {
    let client = in_memory();
    let (server, mut sent) = server(&client);
    let server = server.start().await.unwrap();
    let options = TaskOptions::new().queue("groups").group("ann").task_id("untyped");
    client.enqueue(Task::new("untyped", "").unwrap().options(options)).await.unwrap();
    for line in ["a", "b"] {
        GroupMail::new(line).enqueue(&client).group("ann").await.unwrap();
        assert_eq!(next(&mut sent).await.1, lines(&[line]));
    }
    sleep(Duration::from_secs(300)).await;
    assert_eq!(info(&client, "untyped").await.unwrap().state, TaskState::Aggregating);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_does_not_decode_is_archived_alone() {
    let client = in_memory();
    let (server, mut sent) = server(&client);
    let server = server.start().await.unwrap();
    GroupMail::new("good").enqueue(&client).group("ann").await.unwrap();
    let options = TaskOptions::new().queue("groups").group("ann").task_id("bad");
    client.enqueue(Task::new("groups:mail", r#"{"line":7}"#).unwrap().options(options)).await.unwrap();
    GroupMail::new("better").enqueue(&client).group("ann").await.unwrap();
    assert_eq!(next(&mut sent).await.1, lines(&["better", "good"]));
    let bad = info(&client, "bad").await.unwrap();
    assert_eq!(bad.state, TaskState::Archived);
    assert!(
        bad.last_error.starts_with("payload of `groups:mail` cannot be decoded: field `line`"),
        "{}",
        bad.last_error
    );
    server.shutdown().await;
}

#[tokio::test]
async fn an_aggregator_without_its_state_is_refused_at_the_start() {
    let client = in_memory();
    let one = registered_aggregators().find(|one| one.name == "digest_mails").unwrap();
    let new = || Server::builder(&client).aggregator(Aggregator::registered(one));
    let error = new().queues([("groups", 1)]).start().await.unwrap_err().to_string();
    assert!(
        error.contains("digest_mails") && error.contains("groups.rs:") && error.contains("State<"),
        "{error}"
    );
    let error = new().queues([("other", 1)]).state::<Sent>(mpsc::channel(1).0).start().await.unwrap_err();
    assert!(error.to_string().contains("uses queue `groups`, which this server does not consume"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_leaves_groups_alone_says_so_once() {
    let log = Log::default();
    let _logging = log.listen();
    let client = in_memory();
    let server = Server::builder(&client).queues([("groups", 1)]).start().await.unwrap();
    for line in ["a", "b"] {
        GroupMail::new(line).enqueue(&client).group(line).await.unwrap();
    }
    sleep(Duration::from_secs(3_600)).await;
    server.shutdown().await;
    let text = log.text();
    let warnings = text.lines().filter(|line| line.contains("nobody aggregates them")).collect::<Vec<_>>();
    assert_eq!(warnings.len(), 1, "{text}");
    for part in ["WARN", "queue=groups", "task_type=\"groups:mail\"", "no aggregator"] {
        assert!(warnings[0].contains(part), "{}", warnings[0]);
    }
}

/// A server on Redis that aggregates, and tells what of.
fn on_redis(client: &Client) -> (ServerBuilder, mpsc::Receiver<(String, Vec<String>)>) {
    let (tell, told) = mpsc::channel(10_000);
    let router = Router::new().route("do:", async |_: Ctx| ()).unwrap();
    let server = Server::builder(client).router(router).queues([("default", 1)]).aggregator(
        move |group: String, tasks: Vec<Task>| {
            let tell = tell.clone();
            async move {
                let payload = |task: &Task| String::from_utf8(task.payload().unwrap().to_vec()).unwrap();
                let payloads = tasks.iter().map(payload).collect::<Vec<_>>();
                tell.send((group, payloads.clone())).await?;
                Ok::<_, BoxError>(Task::new("do:ok", payloads.join(","))?)
            }
        },
    );
    (server.groups(GroupSettings::new().grace(Duration::from_secs(1))), told)
}

/// Waits until nothing is left of any task.
async fn all_done(redis: &RedisServer) {
    redis.until::<Vec<String>>(&["KEYS", "asynq:{default}:[tg]*"], Vec::is_empty).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_aggregator_takes_what_go_groups() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let (server, mut told) = on_redis(&client);
    let server = server.start().await.unwrap();
    let task = |number: usize| {
        let unique = if number == 0 { json!(60_000) } else { Value::Null };
        let mut task =
            json!({"type": "go:t", "payload_text": number.to_string(), "opts": {"group": "user:42"}});
        if !unique.is_null() {
            task["opts"]["unique_ms"] = unique;
        }
        task
    };
    let answers = go.enqueue_all((0..5).map(task)).await;
    assert!(answers.iter().all(|answer| answer["state"] == "aggregating"), "{answers:?}");
    let mut seen = Vec::new();
    while seen.len() < 5 {
        let (group, payloads) = told.recv().await.unwrap();
        assert_eq!(group, "user:42");
        seen.extend(payloads);
    }
    seen.sort();
    assert_eq!(seen, ["0", "1", "2", "3", "4"]);
    all_done(&redis).await;
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "*:unique:*"]).await, Vec::<String>::new(), "B6");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_aggregator_takes_what_we_group() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let worker = go
        .serve(&[
            "--queues",
            "default=1",
            "--concurrency",
            "5",
            "--aggregate",
            "--aggregate-type",
            "do:ok",
            "--group-grace-ms",
            "1000",
        ])
        .await;
    for number in 0..5 {
        let task = Task::new("t", number.to_string()).unwrap().header("tenant", "ä");
        client.enqueue(task.options(TaskOptions::new().group("g"))).await.unwrap();
    }
    let groups = client.broker().groups(&QueueName::default(), 0).await.unwrap().groups;
    assert_eq!((groups[0].name.as_str(), groups[0].size), ("g", 5));
    let tasks = eventually("Go aggregates all", async || {
        let events = worker.events();
        let tasks = events.iter().filter(|event| event["event"] == "aggregate" && event["group"] == "g");
        let tasks = tasks.flat_map(|event| event["tasks"].as_array().unwrap().clone()).collect::<Vec<_>>();
        (tasks.len() >= 5).then_some(tasks)
    })
    .await;
    let mut payloads = tasks.iter().map(|task| task["payload_text"].as_str().unwrap()).collect::<Vec<_>>();
    payloads.sort_unstable();
    assert_eq!(payloads, ["0", "1", "2", "3", "4"]);
    assert!(tasks.iter().all(|task| task["headers"] == json!({"tenant": "ä"}) && task["type"] == "t"));
    all_done(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_and_rust_servers_aggregate_a_thousand_tasks_once_each() {
    const TASKS: usize = 1_000;
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let limits = ["--group-grace-ms", "1000", "--group-max-size", "20"];
    let serve = ["--queues", "default=1", "--concurrency", "5", "--aggregate", "--aggregate-type", "do:ok"];
    let worker = go.serve(&[serve.as_slice(), &limits].concat()).await;
    let (server, mut told) = on_redis(&client);
    let server = server.groups(GroupSettings::new().max_size(20)).start().await.unwrap();
    let half = TASKS / 2;
    let task = |number: usize| {
        let options = TaskOptions::new().group(format!("g{}", number % 50));
        Task::new("t", number.to_string()).unwrap().options(options)
    };
    let by_go = go.enqueue_all((half..TASKS).map(|number| {
        json!({"type": "t", "payload_text": number.to_string(), "opts": {"group": format!("g{}", number % 50)}})
    }));
    let (ours, theirs) = tokio::join!(client.enqueue_all((0..half).map(task)), by_go);
    assert!(ours.iter().all(Result::is_ok) && theirs.iter().all(|answer| answer.get("error").is_none()));
    all_done(&redis).await;
    server.shutdown().await;
    let mut seen = BTreeMap::<usize, usize>::new();
    let mut by_rust = 0;
    while let Ok((_, payloads)) = told.try_recv() {
        by_rust += payloads.len();
        for payload in &payloads {
            *seen.entry(payload.parse().unwrap()).or_default() += 1;
        }
    }
    for event in worker.events().iter().filter(|event| event["event"] == "aggregate") {
        for task in event["tasks"].as_array().unwrap() {
            *seen.entry(task["payload_text"].as_str().unwrap().parse().unwrap()).or_default() += 1;
        }
    }
    println!("{TASKS} tasks: {by_rust} by Rust, {} by Go", TASKS - by_rust);
    assert_eq!(seen.len(), TASKS);
    assert!(seen.values().all(|&times| times == 1));
}
