//! Queues that change while a server runs, limits of queues and of types, pausing: on Redis, and in memory where time
//! is virtual.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::broker::MemoryBroker;
use asynq::clock::Clock;
use asynq::{Client, Ctx, QueueName, Router, Server, ServerBuilder, Task, TaskOptions, TaskState};
use asynq_testkit::{GoPeer, eventually};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep};

use crate::support::{gone, in_state, info, redis, telling, worker};

/// A client in virtual time.
fn in_memory() -> Client {
    let clock = Clock::with_tokio_time("2033-05-18T03:33:20Z".parse().unwrap());
    Client::new(Arc::new(MemoryBroker::new(clock)))
}

fn task(kind: &str, queue: &str, id: &str) -> Task {
    Task::new(kind, "").unwrap().options(TaskOptions::new().queue(queue).task_id(id))
}

fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

async fn next(told: &mut mpsc::Receiver<Ctx>) -> Ctx {
    tokio::time::timeout(Duration::from_secs(30), told.recv()).await.expect("no task arrives").unwrap()
}

/// Which servers live in a queue.
async fn living(client: &Client, name: &str) -> Vec<String> {
    let beats = client.broker().beats(&[queue(name)]).await.unwrap().remove(0);
    beats.into_iter().map(|beat| beat.server_id).collect()
}

async fn queues_come_and_go(client: Client) {
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["a"]).start().await.unwrap();
    let queues = server.handle().queues();

    // Added: its pending tasks are taken, its scheduled ones forwarded.
    client.enqueue(task("t", "b", "pending")).await.unwrap();
    let later = TaskOptions::new().queue("b").task_id("later").process_in(Duration::from_secs(2));
    client.enqueue(Task::new("t", "").unwrap().options(later)).await.unwrap();
    queues.set("b", 2).unwrap();
    assert_eq!(next(&mut told).await.task_id(), "pending");
    assert_eq!(next(&mut told).await.task_id(), "later");
    eventually("the server beats in b", async || (living(&client, "b").await == [server.id()]).then_some(()))
        .await;

    // Removed: its tasks stay, and nobody takes the server for one of its workers.
    assert!(queues.remove("b"));
    eventually("the server has left b", async || living(&client, "b").await.is_empty().then_some(())).await;
    client.enqueue(task("t", "b", "stays")).await.unwrap();
    client.enqueue(task("t", "a", "goes on")).await.unwrap();
    assert_eq!(next(&mut told).await.task_id(), "goes on");
    assert_eq!(info(&client, "b", "stays").await.unwrap().state, TaskState::Pending);

    // A server without any queue takes nothing, and goes on when it has one again.
    assert!(queues.remove("a"));
    client.enqueue(task("t", "a", "waits")).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    assert_eq!(info(&client, "a", "waits").await.unwrap().state, TaskState::Pending);
    queues.set("b", 1).unwrap();
    assert_eq!(next(&mut told).await.task_id(), "stays");
    queues.set("a", 1).unwrap();
    assert_eq!(next(&mut told).await.task_id(), "waits");
    gone(&client, "a", "waits").await;
    server.shutdown().await;
    assert!(living(&client, "a").await.is_empty() && living(&client, "b").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_come_and_go_on_redis() {
    let (_redis, client) = redis().await;
    queues_come_and_go(client).await;
}

#[tokio::test(start_paused = true)]
async fn queues_come_and_go_in_memory() {
    queues_come_and_go(in_memory()).await;
}

/// A task that runs when its queue is removed runs to its end, undisturbed by other servers.
#[tokio::test(start_paused = true)]
async fn a_task_of_a_removed_queue_runs_to_its_end() {
    let client = in_memory();
    let long = Router::new().route("t", async |_: Ctx| sleep(Duration::from_secs(90)).await).unwrap();
    let server = worker(&client, long, &["a", "b"]).start().await.unwrap();
    client.enqueue(task("t", "b", "long")).await.unwrap();
    in_state(&client, "b", "long", TaskState::Active).await;
    assert!(server.queues().remove("b"));
    let (router, mut told) = telling(&["t"]);
    let other = worker(&client, router, &["b"]).start().await.unwrap();
    sleep(Duration::from_secs(85)).await;
    assert_eq!(info(&client, "b", "long").await.unwrap().state, TaskState::Active);
    sleep(Duration::from_secs(10)).await;
    assert!(info(&client, "b", "long").await.is_none(), "it was settled by the server that ran it");
    assert!(told.try_recv().is_err(), "nobody else ran it");
    server.shutdown().await;
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_sees_how_queues_change() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let (router, _told) = telling(&["t"]);
    let server = worker(&client, router, &["a"]).start().await.unwrap();
    let shown = async |status: &str, queues: serde_json::Value| {
        eventually(&format!("Go sees {status} on {queues}"), async || {
            let servers = go.inspect(&["servers"]).await;
            let server = &servers["servers"][0];
            (server["status"] == status && server["queues"] == queues).then_some(())
        })
        .await;
    };
    shown("active", json!({"a": 1})).await;
    server.queues().set("b", 6).unwrap();
    shown("active", json!({"a": 1, "b": 6})).await;
    server.queues().set("b", 2).unwrap();
    assert!(server.queues().remove("a"));
    shown("active", json!({"b": 2})).await;
    server.stop();
    shown("stopped", json!({"b": 2})).await;
    server.shutdown().await;
    assert_eq!(go.inspect(&["servers"]).await["servers"], json!([]));
}

/// How many tasks of each key run, and how many did at most.
#[derive(Clone, Default)]
struct Gauge(Arc<Mutex<HashMap<String, (usize, usize)>>>);

impl Gauge {
    fn enter(&self, key: &str) -> Left {
        let mut counts = self.0.lock().unwrap();
        let (now, most) = counts.entry(key.to_owned()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        Left { gauge: self.clone(), key: key.to_owned() }
    }

    fn most(&self, key: &str) -> usize {
        self.0.lock().unwrap().get(key).map_or(0, |(_, most)| *most)
    }
}

struct Left {
    gauge: Gauge,
    key: String,
}

impl Drop for Left {
    fn drop(&mut self) {
        self.gauge.0.lock().unwrap().get_mut(&self.key).unwrap().0 -= 1;
    }
}

/// A server that counts what runs by `key`; each run takes a moment, and those of the type `stuck` wait for the
/// semaphore.
fn counted(
    client: &Client,
    concurrency: usize,
    gauge: &Gauge,
    key: fn(&Ctx) -> String,
) -> (ServerBuilder, mpsc::Receiver<Ctx>, Arc<Semaphore>) {
    let (tell, told) = mpsc::channel(10_000);
    let (gauge, stuck) = (gauge.clone(), Arc::new(Semaphore::new(0)));
    let released = Arc::clone(&stuck);
    let handler = move |ctx: Ctx| {
        let (tell, inside, released) = (tell.clone(), gauge.enter(&key(&ctx)), Arc::clone(&released));
        async move {
            sleep(Duration::from_millis(3)).await;
            if ctx.task_type() == "stuck" {
                released.acquire().await.unwrap().forget();
            }
            drop(inside);
            tell.send(ctx).await.unwrap();
        }
    };
    let router = Router::new().fallback(handler).unwrap();
    (Server::builder(client).router(router).concurrency(concurrency), told, stuck)
}

/// One call to the broker at a time, and two.
const CONCURRENCIES: [usize; 2] = [8, 40];

async fn a_limited_queue_runs_no_more_and_no_less(client: Client, concurrency: usize) {
    let gauge = Gauge::default();
    let (server, mut told, _) = counted(&client, concurrency, &gauge, |ctx| ctx.queue().to_string());
    let tasks = (0..400).map(|n| task("t", if n % 2 == 0 { "few" } else { "many" }, &n.to_string()));
    for result in client.enqueue_all(tasks).await {
        result.unwrap();
    }
    let server = server.queues([("few", 5), ("many", 1)]).queue_concurrency("few", 3).start().await.unwrap();
    for _ in 0..400 {
        next(&mut told).await;
    }
    assert_eq!(gauge.most("few"), 3);
    assert!((4..=concurrency).contains(&gauge.most("many")), "{} of many ran", gauge.most("many"));

    // Another limit from now on.
    gauge.0.lock().unwrap().clear();
    server.queues().set_concurrency("few", 5).unwrap();
    client.enqueue_all((0..100).map(|n| task("t", "few", &format!("again-{n}")))).await;
    for _ in 0..100 {
        next(&mut told).await;
    }
    assert_eq!(gauge.most("few"), 5);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_queue_runs_no_more_and_no_less_on_redis() {
    for concurrency in CONCURRENCIES {
        let (_redis, client) = redis().await;
        a_limited_queue_runs_no_more_and_no_less(client, concurrency).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_limited_queue_runs_no_more_and_no_less_in_memory() {
    for concurrency in CONCURRENCIES {
        a_limited_queue_runs_no_more_and_no_less(in_memory(), concurrency).await;
    }
}

async fn a_limited_type_runs_no_more_and_no_less(client: Client, concurrency: usize) {
    let gauge = Gauge::default();
    let (server, mut told, _) = counted(&client, concurrency, &gauge, |ctx| ctx.task_type().to_owned());
    let tasks = (0..400).map(|n| task(if n % 2 == 0 { "few" } else { "many" }, "q", &n.to_string()));
    for result in client.enqueue_all(tasks).await {
        result.unwrap();
    }
    let server = server.queues([("q", 1)]).type_concurrency("few", 3).start().await.unwrap();
    for _ in 0..400 {
        next(&mut told).await;
    }
    server.shutdown().await;
    assert_eq!(gauge.most("few"), 3);
    assert!((4..=concurrency).contains(&gauge.most("many")), "{} of many ran", gauge.most("many"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_type_runs_no_more_and_no_less_on_redis() {
    for concurrency in CONCURRENCIES {
        let (_redis, client) = redis().await;
        a_limited_type_runs_no_more_and_no_less(client, concurrency).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_limited_type_runs_no_more_and_no_less_in_memory() {
    for concurrency in CONCURRENCIES {
        a_limited_type_runs_no_more_and_no_less(in_memory(), concurrency).await;
    }
}

/// A hundred tasks that never end before one that does: it runs, and so does one of another queue.
async fn what_is_full_holds_up_nothing_else(client: Client) {
    let gauge = Gauge::default();
    let (server, mut told, stuck) = counted(&client, 4, &gauge, |ctx| ctx.task_type().to_owned());
    client.enqueue_all((0..100).map(|n| task("stuck", "q", &n.to_string()))).await;
    client.enqueue(task("t", "q", "behind")).await.unwrap();
    client.enqueue_all((0..100).map(|n| task("stuck", "full", &n.to_string()))).await;
    let server = server
        .queues([("q", 9), ("full", 9), ("other", 1)])
        .type_concurrency("stuck", 2)
        .queue_concurrency("full", 1)
        .start()
        .await
        .unwrap();
    assert_eq!(next(&mut told).await.task_id(), "behind");
    for n in 0..20 {
        let id = format!("other-{n}");
        client.enqueue(task("t", "other", &id)).await.unwrap();
        assert_eq!(next(&mut told).await.task_id(), id.as_str());
    }
    client.enqueue(task("t", "q", "last")).await.unwrap();
    assert_eq!(next(&mut told).await.task_id(), "last");
    stuck.add_permits(200);
    for _ in 0..200 {
        assert_eq!(next(&mut told).await.task_type(), "stuck");
    }
    assert_eq!(gauge.most("stuck"), 2);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_full_holds_up_nothing_else_on_redis() {
    let (redis, client) = redis().await;
    what_is_full_holds_up_nothing_else(client).await;
    let calls: Vec<String> = redis.command(&["KEYS", "asynq:{*}:t:*"]).await;
    assert_eq!(calls, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_full_holds_up_nothing_else_in_memory() {
    what_is_full_holds_up_nothing_else(in_memory()).await;
}

/// A full queue is not asked for over and over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_costs_redis_little() {
    let (redis, client) = redis().await;
    let gauge = Gauge::default();
    let (server, mut told, stuck) = counted(&client, 4, &gauge, |ctx| ctx.task_type().to_owned());
    client.enqueue_all((0..50).map(|n| task("stuck", "q", &n.to_string()))).await;
    let server = server.queues([("q", 1)]).type_concurrency("stuck", 1).start().await.unwrap();
    eventually("one runs", async || (gauge.most("stuck") == 1).then_some(())).await;
    redis.command::<()>(&["CONFIG", "RESETSTAT"]).await;
    sleep(Duration::from_secs(2)).await;
    let calls = redis.calls("evalsha").await;
    assert!(calls < 30, "{calls} scripts in two seconds");
    stuck.add_permits(50);
    for _ in 0..50 {
        next(&mut told).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn limits_that_cannot_be_are_refused() {
    let client = Client::in_memory();
    let server = || Server::builder(&client).queues([("q", 1)]);
    let refused = async |builder: ServerBuilder| builder.start().await.unwrap_err().to_string();
    let text = refused(server().queue_concurrency("q", 0)).await;
    assert!(text.starts_with("invalid setting `concurrency`: of `q` must be 1 or more, got 0"), "{text}");
    let text = refused(server().type_concurrency("t", 0)).await;
    assert!(text.starts_with("invalid setting `concurrency`: of `t` must be 1 or more, got 0"), "{text}");
    let text = refused(server().queue_concurrency("other", 1)).await;
    assert!(text.contains("`other` is none of the server's queues"), "{text}");
}

/// Paused, a server takes nothing more from the next call on; what runs goes on; resumed, it goes on within a second.
#[tokio::test(start_paused = true)]
async fn a_pause_holds_from_the_next_call_on_and_a_resume_within_a_second() {
    let client = in_memory();
    let gauge = Gauge::default();
    let (server, mut told, stuck) = counted(&client, 2, &gauge, |ctx| ctx.task_id().to_string());
    let server = server.queues([("q", 1)]).start().await.unwrap();
    client.enqueue(task("stuck", "q", "runs on")).await.unwrap();
    eventually("it runs", async || (gauge.most("runs on") == 1).then_some(())).await;
    assert!(client.broker().pause(&queue("q")).await.unwrap());
    for n in 0..5 {
        client.enqueue(task("t", "q", &n.to_string())).await.unwrap();
        sleep(Duration::from_millis(700)).await;
    }
    assert!(told.try_recv().is_err(), "nothing was taken");
    stuck.add_permits(1);
    assert_eq!(next(&mut told).await.task_id(), "runs on");
    gone(&client, "q", "runs on").await;
    sleep(Duration::from_millis(4_321)).await;
    assert!(told.try_recv().is_err(), "nothing was taken");
    assert!(client.broker().resume(&queue("q")).await.unwrap());
    let resumed = Instant::now();
    next(&mut told).await;
    assert!(resumed.elapsed() <= Duration::from_secs(1), "{:?}", resumed.elapsed());
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pauses_a_queue_pauses_the_workers_of_both() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    // By Go: ours takes nothing, and goes on when Go says so.
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["ours", "open"]).start().await.unwrap();
    assert!(go.inspect(&["pause", "ours"]).await.get("error").is_none());
    client.enqueue(task("t", "ours", "held")).await.unwrap();
    for n in 0..10 {
        let id = format!("open-{n}");
        client.enqueue(task("t", "open", &id)).await.unwrap();
        assert_eq!(next(&mut told).await.task_id(), id.as_str());
    }
    assert_eq!(info(&client, "ours", "held").await.unwrap().state, TaskState::Pending);
    assert!(go.inspect(&["unpause", "ours"]).await.get("error").is_none());
    assert_eq!(next(&mut told).await.task_id(), "held");
    server.shutdown().await;

    // By us: Go's takes nothing, and goes on when we say so.
    assert!(client.broker().pause(&queue("theirs")).await.unwrap());
    client.enqueue(task("t", "theirs", "held")).await.unwrap();
    let peer = go.serve(&["--queues", "theirs=1,open=1"]).await;
    client.enqueue(task("t", "open", "not held")).await.unwrap();
    gone(&client, "open", "not held").await;
    assert_eq!(info(&client, "theirs", "held").await.unwrap().state, TaskState::Pending);
    assert!(client.broker().resume(&queue("theirs")).await.unwrap());
    gone(&client, "theirs", "held").await;
    peer.kill().await;
}
