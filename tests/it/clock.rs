//! Machines whose clocks differ: nothing is lost, nothing runs twice, and it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::broker::MemoryBroker;
use asynq::broker::redis::RedisBroker;
use asynq::clock::Clock;
use asynq::{Client, Ctx, Router, Server, Task, TaskOptions};
use asynq_testkit::{RedisServer, eventually, eventually_within};
use jiff::SignedDuration;
use tokio::time::sleep;

/// How often each task ran, and ended.
type Runs = Arc<Mutex<HashMap<String, (usize, usize)>>>;

fn router(runs: &Runs) -> Router {
    let runs = Arc::clone(runs);
    let handler = move |ctx: Ctx| {
        let runs = Arc::clone(&runs);
        async move {
            let id = ctx.task_id().to_string();
            runs.lock().unwrap().entry(id.clone()).or_default().0 += 1;
            let millis: u64 = String::from_utf8_lossy(ctx.payload()).parse().unwrap();
            sleep(Duration::from_millis(millis)).await;
            runs.lock().unwrap().entry(id).or_default().1 += 1;
        }
    };
    Router::new().route("t", handler).unwrap()
}

/// Workers and producers on each of these clients; tasks that run for `millis` at once and later.
async fn nothing_is_lost_or_run_twice(clients: &[Client], tasks: usize, millis: u64) {
    let runs = Runs::default();
    let mut servers = Vec::new();
    for client in clients {
        servers.push(Server::builder(client).router(router(&runs)).concurrency(10).start().await.unwrap());
    }
    for n in 0..tasks {
        let options = TaskOptions::new().task_id(n.to_string()).max_retry(0);
        let later = (n % 4 == 0).then(|| Duration::from_secs(2));
        let options = later.map_or(options.clone(), |delay| options.process_in(delay));
        let task = Task::new("t", millis.to_string()).unwrap().options(options);
        clients[n % clients.len()].enqueue(task).await.unwrap();
    }
    eventually_within(Duration::from_secs(90), "all have ended", async || {
        let runs = runs.lock().unwrap();
        (runs.len() == tasks && runs.values().all(|&(_, ended)| ended > 0)).then_some(())
    })
    .await;
    for server in servers {
        server.shutdown().await;
    }
    let runs = runs.lock().unwrap();
    let odd: Vec<_> = runs.iter().filter(|&(_, &counts)| counts != (1, 1)).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

const SKEWS: [i64; 3] = [-20, 0, 20];

#[tokio::test(start_paused = true)]
async fn b33_clocks_that_differ_by_40_s_lose_nothing_and_run_nothing_twice() {
    let clock = Clock::with_tokio_time("2033-05-18T03:33:20Z".parse().unwrap());
    let broker = MemoryBroker::new(clock.clone());
    let clients = SKEWS.map(|seconds| {
        let clock = clock.shifted(SignedDuration::from_secs(seconds));
        Client::new(Arc::new(broker.with_clock(clock)))
    });
    // Each run lasts for several leases.
    nothing_is_lost_or_run_twice(&clients, 60, 100_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b33_clocks_that_differ_by_40_s_lose_nothing_on_redis() {
    let redis = RedisServer::start().await;
    let mut clients = Vec::new();
    for seconds in SKEWS {
        let clock = Clock::system().shifted(SignedDuration::from_secs(seconds));
        clients.push(Client::new(Arc::new(RedisBroker::connect(&redis.url(), clock).await.unwrap())));
    }
    // Long enough for the leases of the slow clock to be over by the fast one.
    nothing_is_lost_or_run_twice(&clients, 30, 11_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_knows_how_far_its_clock_is_off() {
    let redis = RedisServer::start().await;
    for seconds in SKEWS {
        let clock = Clock::system().shifted(SignedDuration::from_secs(seconds));
        let client = Client::new(Arc::new(RedisBroker::connect(&redis.url(), clock).await.unwrap()));
        let server = Server::builder(&client).start().await.unwrap();
        let offset = eventually("it is known", async || server.health().clock_offset).await;
        let expected = SignedDuration::from_secs(-seconds);
        assert!((offset - expected).abs() < SignedDuration::from_secs(1), "{offset} of {expected}");
        assert!(server.is_ready(), "a wrong clock is no reason to stand still");
        server.shutdown().await;
    }
}
