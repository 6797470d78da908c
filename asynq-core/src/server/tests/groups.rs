//! Servers that aggregate groups, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::broker::MemoryBroker;
use crate::client::Client;
use crate::clock::Clock;
use crate::job::GroupSettings;
use crate::router::{BoxError, Ctx, Router};
use crate::server::{Server, ServerBuilder};
use crate::task::{QueueName, Task, TaskId, TaskInfo, TaskOptions, TaskState};

fn in_memory() -> Client {
    let clock = Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap());
    Client::new(Arc::new(MemoryBroker::new(clock)))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn group(client: &Client, group: &str, ids: impl IntoIterator<Item = impl ToString>) {
    for id in ids {
        let id = id.to_string();
        let task = Task::new("t", id.clone()).unwrap();
        client.enqueue(task.options(TaskOptions::new().group(group).task_id(id))).await.unwrap();
    }
}

async fn info(client: &Client, id: &str) -> Option<TaskInfo> {
    client.broker().task_info(&QueueName::default(), &TaskId::new(id).unwrap()).await.unwrap()
}

/// A run of the aggregated task: the payloads it stands for, and when it ran.
type Digests = mpsc::Receiver<(Vec<String>, Instant)>;

/// A server that runs aggregated tasks and tells of them.
fn server(client: &Client) -> (ServerBuilder, Digests) {
    let (tell, told) = mpsc::channel(10_000);
    let router = Router::new()
        .route("digest", move |ctx: Ctx| {
            let tell = tell.clone();
            async move {
                let text = String::from_utf8(ctx.payload().to_vec())?;
                tell.send((text.split(',').map(str::to_owned).collect(), Instant::now())).await?;
                Ok::<_, BoxError>(())
            }
        })
        .unwrap();
    (Server::builder(client).router(router), told)
}

fn digest(tasks: &[Task]) -> Task {
    let payloads = tasks.iter().map(|task| String::from_utf8(task.payload().unwrap().to_vec()).unwrap());
    Task::new("digest", payloads.collect::<Vec<_>>().join(",")).unwrap()
}

/// The same, and it aggregates.
fn aggregating(client: &Client) -> (ServerBuilder, Digests) {
    let (server, told) = server(client);
    (server.aggregator(|_: String, tasks: Vec<Task>| async move { digest(&tasks) }), told)
}

/// The next of these; nothing here takes a day.
async fn next<T>(told: &mut mpsc::Receiver<T>) -> T {
    tokio::time::timeout(seconds(24 * 3_600), told.recv()).await.expect("it comes within a day").unwrap()
}

/// What is left of tasks, groups and sets.
async fn left(client: &Client) -> usize {
    let queue = QueueName::default();
    let mut left = client.broker().groups(&queue, 0).await.unwrap().groups.len();
    left += usize::from(client.broker().reclaim_sets(&queue).await.unwrap().next_due.is_some());
    left
}

#[tokio::test(start_paused = true)]
async fn a_group_is_aggregated_a_grace_period_after_its_last_task() {
    let client = in_memory();
    let (server, mut told) = aggregating(&client);
    let server = server.groups(GroupSettings::new().grace(seconds(30))).start().await.unwrap();
    group(&client, "g", ["a"]).await;
    sleep(seconds(25)).await;
    group(&client, "g", ["b", "c"]).await;
    let last = Instant::now();
    let (tasks, at) = next(&mut told).await;
    assert_eq!(tasks, ["a", "b", "c"]);
    let waited = (at - last).as_secs_f64();
    assert!((29.0..=31.0).contains(&waited), "{waited} s");
    for id in ["a", "b", "c"] {
        assert!(info(&client, id).await.is_none());
    }
    server.shutdown().await;
    assert_eq!(left(&client).await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_grace_period_is_gos_minute_unless_told_otherwise() {
    let client = in_memory();
    let (server, mut told) = aggregating(&client);
    let server = server.start().await.unwrap();
    group(&client, "g", ["a"]).await;
    let added = Instant::now();
    let (_, at) = next(&mut told).await;
    assert!((59.0..=61.0).contains(&(at - added).as_secs_f64()));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_never_rests_is_aggregated_after_its_longest_delay() {
    let client = in_memory();
    let (server, mut told) = aggregating(&client);
    let settings = GroupSettings::new().grace(seconds(30)).max_delay(seconds(100));
    let server = server.groups(settings).start().await.unwrap();
    let began = Instant::now();
    for number in 0..20 {
        group(&client, "g", [format!("{number:02}")]).await;
        sleep(seconds(10)).await;
    }
    let (tasks, at) = next(&mut told).await;
    assert!((99.0..=102.0).contains(&(at - began).as_secs_f64()), "{:?}", at - began);
    assert!((10..=11).contains(&tasks.len()), "{tasks:?}");
    let (more, _) = next(&mut told).await;
    assert_eq!(tasks.len() + more.len(), 20);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_large_group_is_aggregated_within_a_second_and_in_pieces() {
    let client = in_memory();
    let (server, mut told) = aggregating(&client);
    let server = server.groups(GroupSettings::new().max_size(10)).start().await.unwrap();
    sleep(seconds(5)).await;
    let began = Instant::now();
    group(&client, "g", (0..995).map(|number| format!("{number:04}"))).await;
    let mut all = Vec::new();
    for _ in 0..99 {
        let (tasks, at) = next(&mut told).await;
        assert_eq!(tasks.len(), 10);
        assert!(at - began <= seconds(2), "{:?}", at - began);
        all.extend(tasks);
    }
    let (tasks, at) = next(&mut told).await;
    assert_eq!(tasks.len(), 5, "the rest waits for its grace period");
    assert!(at - began >= seconds(59));
    all.extend(tasks);
    all.sort();
    assert!(all.iter().enumerate().all(|(number, id)| *id == format!("{number:04}")));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn queues_have_settings_of_their_own() {
    let client = in_memory();
    let (server, mut told) = aggregating(&client);
    let server = server
        .queues([("slow", 1), ("quick", 1)])
        .groups(GroupSettings::new().grace(seconds(100)))
        .groups_in("quick", GroupSettings::new().grace(seconds(2)))
        .start()
        .await
        .unwrap();
    let began = Instant::now();
    for queue in ["slow", "quick"] {
        let options = TaskOptions::new().group("g").queue(queue);
        client.enqueue(Task::new("t", queue).unwrap().options(options)).await.unwrap();
    }
    for (queue, after) in [("quick", 2.0), ("slow", 100.0)] {
        let (tasks, at) = next(&mut told).await;
        assert_eq!(tasks, [queue]);
        let waited = (at - began).as_secs_f64();
        assert!((after - 1.0..=after + 1.0).contains(&waited), "{queue}: {waited} s");
    }
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn several_servers_aggregate_each_task_once() {
    let client = in_memory();
    let (mut servers, mut all_told) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let (server, told) = aggregating(&client);
        let settings = GroupSettings::new().grace(seconds(3)).max_delay(seconds(7)).max_size(5);
        servers.push(server.groups(settings).start().await.unwrap());
        all_told.push(told);
    }
    for number in 0..1_000 {
        group(&client, &format!("g{}", number % 7), [number]).await;
        sleep(Duration::from_millis(37)).await;
    }
    sleep(seconds(60)).await;
    let mut runs = BTreeMap::<String, usize>::new();
    for told in &mut all_told {
        while let Ok((tasks, _)) = told.try_recv() {
            for task in tasks {
                *runs.entry(task).or_default() += 1;
            }
        }
    }
    assert_eq!(runs.len(), 1_000);
    assert!(runs.values().all(|&times| times == 1));
    for server in servers {
        server.shutdown().await;
    }
    assert_eq!(left(&client).await, 0);
}

/// A server whose aggregator takes as long as this for one go.
fn slow(client: &Client, length: Duration) -> (ServerBuilder, Digests, Arc<AtomicUsize>) {
    let (server, told) = server(client);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let server = server.aggregator(move |_: String, tasks: Vec<Task>| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            sleep(length).await;
            digest(&tasks)
        }
    });
    (server.groups(GroupSettings::new().grace(seconds(1))), told, calls)
}

#[tokio::test(start_paused = true)]
async fn b22_an_aggregator_of_ten_minutes_aggregates_once() {
    let client = in_memory();
    let (first, mut told, calls) = slow(&client, seconds(600));
    let first = first.start().await.unwrap();
    group(&client, "g", ["a", "b"]).await;
    sleep(seconds(5)).await;
    let (second, mut others, other_calls) = slow(&client, seconds(600));
    let second = second.start().await.unwrap();
    let (tasks, _) = tokio::select! {
        told = next(&mut told) => told,
        told = next(&mut others) => told,
    };
    assert_eq!(tasks, ["a", "b"]);
    sleep(seconds(1_000)).await;
    assert!(told.try_recv().is_err() && others.try_recv().is_err());
    assert_eq!(calls.load(Ordering::SeqCst) + other_calls.load(Ordering::SeqCst), 1);
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn b22_the_tasks_of_a_server_that_dies_while_it_aggregates_are_aggregated_by_another() {
    let client = in_memory();
    let (dying, _told, calls) = slow(&client, seconds(600));
    let dying = dying.start().await.unwrap();
    group(&client, "g", ["a", "b"]).await;
    sleep(seconds(30)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let died = Instant::now();
    drop(dying);
    let (server, mut told) = aggregating(&client);
    let server = server.start().await.unwrap();
    let (tasks, at) = next(&mut told).await;
    assert_eq!(tasks, ["a", "b"]);
    assert!(at - died <= seconds(125), "{:?}", at - died);
    sleep(seconds(1_000)).await;
    assert!(told.try_recv().is_err());
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_aggregator_is_tried_again_and_again_and_its_tasks_stay() {
    let client = in_memory();
    let (server, mut told) = server(&client);
    let (tell, mut calls) = mpsc::channel(100);
    let server = server
        .aggregator(move |_: String, tasks: Vec<Task>| {
            let tell = tell.clone();
            async move {
                let number = tasks.len();
                tell.send((number, Instant::now())).await?;
                if number < 3 { Err(BoxError::from("not yet")) } else { Ok(digest(&tasks)) }
            }
        })
        .groups(GroupSettings::new().grace(seconds(1)))
        .start()
        .await
        .unwrap();
    group(&client, "g", ["a", "b"]).await;
    let mut last: Option<Instant> = None;
    for rest in [0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 120.0, 120.0] {
        let (number, at) = next(&mut calls).await;
        assert_eq!(number, 2);
        if let Some(last) = last {
            let rested = (at - last).as_secs_f64();
            assert!((rest - 0.5..=rest + 2.0).contains(&rested), "{rested} s instead of {rest}");
        }
        last = Some(at);
        assert_eq!(info(&client, "a").await.unwrap().state, TaskState::Aggregating);
    }
    group(&client, "g", ["c"]).await;
    let (tasks, _) = next(&mut told).await;
    assert_eq!(tasks, ["a", "b", "c"]);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn b21_an_aggregator_that_panics_stops_nothing() {
    let client = in_memory();
    let (server, mut told) = server(&client);
    let calls = Arc::new(AtomicUsize::new(0));
    let server = server
        .aggregator(move |_: String, tasks: Vec<Task>| {
            // Both before the first await and behind it.
            let call = calls.fetch_add(1, Ordering::SeqCst);
            assert!(call != 0, "at once");
            async move {
                sleep(seconds(1)).await;
                assert!(call != 1, "later");
                digest(&tasks)
            }
        })
        .groups(GroupSettings::new().grace(seconds(1)))
        .start()
        .await
        .unwrap();
    group(&client, "g", ["a"]).await;
    assert_eq!(next(&mut told).await.0, ["a"]);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_aggregator_that_never_ends_is_dropped_after_its_time() {
    let client = in_memory();
    let (server, mut told) = server(&client);
    let calls = Arc::new(AtomicUsize::new(0));
    let server = server
        .aggregator(move |_: String, tasks: Vec<Task>| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            async move {
                if call == 0 {
                    std::future::pending::<()>().await;
                }
                digest(&tasks)
            }
        })
        .groups(GroupSettings::new().grace(seconds(1)).timeout(seconds(300)))
        .start()
        .await
        .unwrap();
    let began = Instant::now();
    group(&client, "g", ["a"]).await;
    let (_, at) = next(&mut told).await;
    assert!((305..=310).contains(&(at - began).as_secs()), "{:?}", at - began);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_an_aggregator_and_gives_back_what_takes_too_long() {
    let client = in_memory();
    for (length, ends_in_time) in [(5, true), (60, false)] {
        let (server, _told, calls) = slow(&client, seconds(length));
        let server = server.shutdown_timeout(seconds(10)).start().await.unwrap();
        group(&client, "g", ["a"]).await;
        while calls.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(100)).await;
        }
        let began = Instant::now();
        server.shutdown().await;
        assert!(began.elapsed() <= seconds(11), "{:?}", began.elapsed());
        assert_eq!(info(&client, "a").await.is_none(), ends_in_time);
    }
    let (server, mut told) = aggregating(&client);
    let began = Instant::now();
    let server = server.groups(GroupSettings::new().grace(seconds(1))).start().await.unwrap();
    assert_eq!(next(&mut told).await.0, ["a"], "what the second server gave back");
    assert!(began.elapsed() < seconds(5), "not only when the time of the set is up");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_aggregator_may_return_nothing() {
    let client = in_memory();
    let (server, mut told) = server(&client);
    let server = server
        .aggregator(|_: String, tasks: Vec<Task>| async move { (tasks.len() > 1).then(|| digest(&tasks)) })
        .groups(GroupSettings::new().grace(seconds(1)))
        .start()
        .await
        .unwrap();
    group(&client, "alone", ["a"]).await;
    group(&client, "more", ["b", "c"]).await;
    assert_eq!(next(&mut told).await.0, ["b", "c"]);
    sleep(seconds(300)).await;
    assert!(told.try_recv().is_err());
    assert!(info(&client, "a").await.is_none());
    server.shutdown().await;
    assert_eq!(left(&client).await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_aggregated_task_that_is_refused_leaves_its_tasks() {
    let client = in_memory();
    let (server, mut told) = server(&client);
    let server = server
        .aggregator(|_: String, tasks: Vec<Task>| async move {
            digest(&tasks).options(TaskOptions::new().task_id("taken").queue("elsewhere"))
        })
        .groups(GroupSettings::new().grace(seconds(1)))
        .start()
        .await
        .unwrap();
    let taken = TaskOptions::new().task_id("taken").process_in(seconds(60));
    client.enqueue(Task::new("digest", "taken").unwrap().options(taken)).await.unwrap();
    group(&client, "g", ["a"]).await;
    sleep(seconds(30)).await;
    assert_eq!(info(&client, "a").await.unwrap().state, TaskState::Aggregating);
    assert_eq!(next(&mut told).await.0, ["taken"]);
    assert_eq!(next(&mut told).await.0, ["a"], "once the other one is done");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_task_joins_its_group() {
    let client = in_memory();
    let (server, mut told) = aggregating(&client);
    let server = server.groups(GroupSettings::new().grace(seconds(5))).start().await.unwrap();
    let later = TaskOptions::new().group("g").process_in(seconds(100));
    let info = client.enqueue(Task::new("t", "later").unwrap().options(later)).await.unwrap();
    assert_eq!(info.state, TaskState::Scheduled);
    sleep(seconds(98)).await;
    group(&client, "g", ["now"]).await;
    assert_eq!(next(&mut told).await.0, ["now", "later"]);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_task_does_not_hold_up_its_group() {
    use crate::broker::conformance::Corruption;
    let clock = Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap());
    let broker = MemoryBroker::new(clock);
    let client = Client::new(Arc::new(broker.clone()));
    let (server, mut told) = aggregating(&client);
    let server = server.groups(GroupSettings::new().grace(seconds(1))).start().await.unwrap();
    group(&client, "g", ["dangling", "garbled", "good", "blank"]).await;
    let (queue, id) = (QueueName::default(), |id: &str| TaskId::new(id).unwrap());
    broker.corrupt(Corruption::DeleteTask { queue: queue.clone(), id: id("dangling") });
    for (name, value) in [("garbled", b"\xff\xff".as_slice()), ("blank", b"")] {
        let (field, value) = ("msg".to_owned(), bytes::Bytes::from_static(value));
        broker.corrupt(Corruption::SetField { queue: queue.clone(), id: id(name), field, value });
    }
    assert_eq!(next(&mut told).await.0, ["good"]);
    sleep(seconds(1)).await;
    let archived = broker.dump().zset("asynq:{default}:archived");
    assert_eq!(archived.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ["blank", "garbled"]);
    assert_eq!(info(&client, "blank").await.unwrap().last_error, "the task has no type");
    server.shutdown().await;
    assert_eq!(left(&client).await, 0);
}

#[tokio::test(start_paused = true)]
async fn b4_a_group_that_go_left_behind_is_found_again() {
    use crate::broker::conformance::Corruption;
    let clock = Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap());
    let broker = MemoryBroker::new(clock);
    let client = Client::new(Arc::new(broker.clone()));
    let (server, mut told) = aggregating(&client);
    let server = server.groups(GroupSettings::new().grace(seconds(30))).start().await.unwrap();
    group(&client, "g", ["a"]).await;
    sleep(seconds(5)).await;
    broker.corrupt(Corruption::ForgetGroup { queue: QueueName::default(), group: "g".to_owned() });
    assert_eq!(next(&mut told).await.0, ["a"]);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn settings_that_cannot_be_are_refused() {
    let client = in_memory();
    let new = || aggregating(&client).0;
    for (server, wrong) in [
        (
            new().groups(GroupSettings::new().grace(Duration::from_millis(999))),
            "`groups`: `grace` must be one second",
        ),
        (new().groups_in(" ", GroupSettings::new()), "`groups_in`: "),
        (new().max_aggregations(0), "`max_aggregations`: must be 1 or more"),
    ] {
        let error = server.start().await.unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
    }
    let twice = new().aggregator(|_: String, _: Vec<Task>| async {}).start().await.unwrap_err().to_string();
    assert!(twice.starts_with("two aggregators take the tasks of no job"), "{twice}");
}
