//! What observers are told of runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::broker::MemoryBroker;
use crate::client::Client;
use crate::clock::Clock;
use crate::inspector::Inspector;
use crate::router::{BoxError, Ctx, PutBack, RetryPolicy, Revoke, Router, SkipRetry};
use crate::server::Server;
use crate::task::{QueueName, Task, TaskId, TaskOptions};
use crate::telemetry::{Observer, Run, RunOutcome};

fn in_memory() -> Client {
    let clock = Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap());
    Client::new(Arc::new(MemoryBroker::new(clock)))
}

fn task(id: &str, options: TaskOptions) -> Task {
    Task::new("t", "").unwrap().options(options.task_id(id))
}

/// What was told: a line for each call.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Told {
    fn started(&self, run: &Run<'_>, waited: Option<Duration>) {
        let line = format!("{} {} after {waited:?}", run.queue, run.task_type);
        self.0.lock().unwrap().push(line);
    }

    fn ended(&self, _run: &Run<'_>, outcome: RunOutcome, took: Option<Duration>) {
        self.0.lock().unwrap().push(format!("{} took {took:?}", outcome.as_str()));
    }
}

/// One that fails whenever it is told something.
#[derive(Debug)]
struct Broken;

impl Observer for Broken {
    fn started(&self, _run: &Run<'_>, _waited: Option<Duration>) {
        panic!("started");
    }

    fn ended(&self, _run: &Run<'_>, _outcome: RunOutcome, _took: Option<Duration>) {
        panic!("ended");
    }
}

/// A handler that does what the ID of its task says, after three seconds.
fn by_id() -> Router {
    Router::new()
        .route("t", async |ctx: Ctx| {
            sleep(Duration::from_secs(3)).await;
            match ctx.task_id().as_str() {
                "retry" | "archived" => Err(BoxError::from("it broke")),
                "skipped" => Err(SkipRetry::new("no use").into()),
                "revoked" => Err(Revoke::new("void").into()),
                "put_back" => Err(PutBack::new(Duration::from_secs(3600), "full").into()),
                "panic" => panic!("a bug"),
                "timeout" | "cancelled" | "left" => {
                    sleep(Duration::from_secs(3600)).await;
                    Ok(())
                }
                _ => Ok(()),
            }
        })
        .unwrap()
}

async fn until_told(told: &Told, lines: usize) -> Vec<String> {
    let give_up = Instant::now() + Duration::from_secs(300);
    while told.lines().len() < lines {
        assert!(Instant::now() < give_up, "{:?}", told.lines());
        sleep(Duration::from_millis(100)).await;
    }
    told.lines()
}

async fn server(client: &Client, told: &Told) -> Server {
    let server =
        Server::builder(client).router(by_id()).concurrency(1).observer(Broken).observer(told.clone());
    server.retry_policy(RetryPolicy::Fixed(Duration::from_secs(86_400))).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn observers_are_told_when_each_run_begins_and_how_it_ends() {
    let client = in_memory();
    for (id, outcome) in [
        ("ok", "ok"),
        ("retry", "retry"),
        ("archived", "archived"),
        ("skipped", "skipped"),
        ("revoked", "skipped"),
        ("put_back", "put_back"),
        ("panic", "panic"),
        ("timeout", "timeout"),
        ("cancelled", "cancelled"),
    ] {
        let told = Told::default();
        let options =
            TaskOptions::new().max_retry(u32::from(id != "archived")).timeout(Duration::from_secs(10));
        client.enqueue(task(id, options)).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        let server = server(&client, &told).await;
        until_told(&told, 1).await;
        if id == "cancelled" {
            client.broker().publish_cancellation(&TaskId::new(id).unwrap()).await.unwrap();
        }
        let lines = until_told(&told, 2).await;
        assert_eq!(lines[0], "default t after Some(2s)", "{id}");
        assert!(lines[1].starts_with(&format!("{outcome} took Some(")), "{id}: {lines:?}");
        assert_eq!(lines[1].contains("took Some(3s)"), !matches!(id, "timeout" | "cancelled"), "{lines:?}");
        server.shutdown().await;
        assert_eq!(told.lines().len(), 2, "{id}: {:?}", told.lines());
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_a_shutdown_ends_has_ended() {
    let (client, told) = (in_memory(), Told::default());
    client.enqueue(task("left", TaskOptions::new())).await.unwrap();
    let server = server(&client, &told).await;
    until_told(&told, 1).await;
    server.shutdown().await;
    let lines = told.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("put_back took Some("), "{lines:?}");
    let queue = client.broker().queue_info(&QueueName::default()).await.unwrap();
    assert_eq!((queue.pending, queue.active), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_time_was_up_has_a_run_that_ends_at_once() {
    let (client, told) = (in_memory(), Told::default());
    client.enqueue(task("late", TaskOptions::new().expires_in(Duration::from_secs(1)))).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let server = server(&client, &told).await;
    let lines = until_told(&told, 2).await;
    assert_eq!(lines, ["default t after Some(5s)", "timeout took Some(0ns)"]);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn run_times_are_left_for_others_and_stay_when_the_server_ends() {
    let client = in_memory();
    let inspector = Inspector::new(&client);
    let options = || TaskOptions::new().max_retry(0);
    client.enqueue(task("ok", options())).await.unwrap();
    client.enqueue(task("retry", options())).await.unwrap();
    let builder = Server::builder(&client).router(by_id()).concurrency(1).run_times(true);
    let server = builder.start().await.unwrap();
    let give_up = Instant::now() + Duration::from_secs(60);
    let told = loop {
        let told = inspector.run_times().await.unwrap();
        if told.first().is_some_and(|server| server.times[0].finished == 2) {
            break told;
        }
        assert!(Instant::now() < give_up, "{told:?}");
        sleep(Duration::from_secs(1)).await;
    };
    let [of_server] = &told[..] else { panic!("{told:?}") };
    assert!(of_server.server.ends_with(server.id()), "{told:?}");
    let [times] = &of_server.times[..] else { panic!("{told:?}") };
    assert_eq!((times.queue.as_str(), times.task_type.as_str(), times.failed), ("default", "t", 1));
    let half = times.ran.quantile(0.5).unwrap().as_secs_f64();
    assert!((2.0..4.3).contains(&half), "it took 3 s: {half}");
    assert_eq!(times.waited.total(), 2);

    client.enqueue(task("last", options())).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    server.shutdown().await;
    assert!(inspector.servers().await.unwrap().is_empty());
    assert_eq!(inspector.run_times().await.unwrap()[0].times[0].finished, 3, "the last one is told, too");
    sleep(Duration::from_secs(61)).await;
    assert_eq!(inspector.run_times().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_where_nobody_asked_for_it() {
    let (client, told) = (in_memory(), Told::default());
    client.enqueue(task("ok", TaskOptions::new())).await.unwrap();
    let server = server(&client, &told).await;
    until_told(&told, 2).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(Inspector::new(&client).run_times().await.unwrap(), []);
    server.shutdown().await;
}
