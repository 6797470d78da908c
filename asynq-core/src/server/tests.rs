//! A whole server in virtual time: days pass in milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::broker::{Demand, LEASE, LeaseRef, MemoryBroker, QueueShare};
use crate::client::Client;
use crate::clock::Clock;
use crate::router::{Ctx, RetryPolicy, Router};
use crate::server::{Server, ServerBuilder};
use crate::task::{QueueName, Task, TaskId, TaskInfo, TaskOptions, TaskState};

pub(super) fn in_memory() -> Client {
    let clock = Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap());
    Client::new(Arc::new(MemoryBroker::new(clock)))
}

fn task(id: &str, options: TaskOptions) -> Task {
    Task::new("t", "").unwrap().options(options.task_id(id))
}

async fn info(client: &Client, id: &str) -> Option<TaskInfo> {
    client.broker().task_info(&QueueName::default(), &TaskId::new(id).unwrap()).await.unwrap()
}

/// A server whose handler tells each run and when it began, and ends as `result` says.
pub(super) fn telling(
    client: &Client,
    result: impl Fn(&Ctx) -> Result<(), String> + Clone + Send + Sync + 'static,
) -> (ServerBuilder, mpsc::Receiver<(Ctx, Timestamp)>) {
    let (tell, told) = mpsc::channel(100);
    let clock = client.broker().clock().clone();
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let (tell, result, now) = (tell.clone(), result(&ctx), clock.now());
            async move {
                tell.send((ctx, now)).await.map_err(|closed| closed.to_string())?;
                result
            }
        })
        .unwrap();
    (Server::builder(client).router(router).concurrency(5), told)
}

#[tokio::test(start_paused = true)]
async fn a_task_that_keeps_failing_is_retried_over_days_and_archived() {
    let client = in_memory();
    let begin = Instant::now();
    let (server, mut told) = telling(&client, |_| Err("boom".to_owned()));
    let server = server.start().await.unwrap();
    client.enqueue(task("it", TaskOptions::new().max_retry(12))).await.unwrap();
    let mut last: Option<Timestamp> = None;
    for retried in 0..=12 {
        let (ctx, at) = told.recv().await.unwrap();
        assert_eq!(ctx.retried(), retried);
        if let Some(last) = last {
            let n = i64::from(retried - 1);
            let waited = at.duration_since(last).as_secs();
            let (least, most) = (n.pow(4) + 15, n.pow(4) + 15 + 29 * (n + 1));
            assert!((least - 1..=most + 1).contains(&waited), "{waited} s before retry {retried}");
        }
        last = Some(at);
    }
    sleep(Duration::from_secs(1)).await;
    let archived = info(&client, "it").await.unwrap();
    assert_eq!((archived.state, archived.retried), (TaskState::Archived, 12));
    assert!(begin.elapsed() > Duration::from_secs(10 * 3_600));
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_task_starts_on_time() {
    let client = in_memory();
    let (server, mut told) = telling(&client, |_| Ok(()));
    let server = server.start().await.unwrap();
    for (milliseconds, allowed) in [(90_000, 100), (3_600_500, 100), (300, 1_000)] {
        let options = TaskOptions::new().process_in(Duration::from_millis(milliseconds));
        let due = client.enqueue(task("it", options)).await.unwrap().next_process_at.unwrap();
        let (_, started) = told.recv().await.unwrap();
        // The format keeps whole seconds, rounded down.
        let late = started.duration_since(Timestamp::from_second(due.as_second()).unwrap());
        assert!((0..=allowed).contains(&late.as_millis()), "{late:?} late after {milliseconds} ms");
        sleep(Duration::from_secs(1)).await;
    }
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_dead_server_run_again_within_ten_seconds() {
    let client = in_memory();
    let stuck = Router::new().route("t", async |_: Ctx| std::future::pending::<()>().await).unwrap();
    let dying = Server::builder(&client).router(stuck).start().await.unwrap();
    let (rescuer, mut told) = telling(&client, |_| Ok(()));
    client.enqueue(task("it", TaskOptions::new().max_retry(0))).await.unwrap();
    sleep(Duration::from_secs(30)).await;
    let rescuer = rescuer.start().await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(info(&client, "it").await.unwrap().state, TaskState::Active);
    // Dropped without a shutdown: as good as killed.
    let died = Instant::now();
    drop(dying);
    let (ctx, _) = told.recv().await.unwrap();
    assert!(died.elapsed() <= Duration::from_secs(10), "{:?}", died.elapsed());
    assert_eq!(ctx.retried(), 0);
    rescuer.shutdown().await;
    assert!(info(&client, "it").await.is_none());
}

/// An idle server does not beat. The lease of its first task is a beat, or nobody would know that it died.
#[tokio::test(start_paused = true)]
async fn an_idle_server_that_dies_with_its_first_task_is_missed_as_soon() {
    let client = in_memory();
    let stuck = Router::new().route("t", async |_: Ctx| std::future::pending::<()>().await).unwrap();
    let dying = Server::builder(&client).router(stuck).start().await.unwrap();
    // It takes nothing, but looks after others.
    let rescuer = telling(&client, |_| Ok(())).0.start().await.unwrap();
    rescuer.stop();
    let living = async || client.broker().beats(&[QueueName::default()]).await.unwrap().remove(0).len();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(living().await, 0);
    client.enqueue(task("it", TaskOptions::new().max_retry(0))).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    assert_eq!((info(&client, "it").await.unwrap().state, living().await), (TaskState::Active, 1));
    drop(dying);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(info(&client, "it").await.unwrap().state, TaskState::Pending);
    // The rescuer's own name goes with the last reason for it.
    sleep(Duration::from_secs(20)).await;
    assert_eq!(living().await, 0);
    rescuer.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_servers_die_three_times_is_archived() {
    let client = in_memory();
    client.enqueue(task("pill", TaskOptions::new())).await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let router = |runs: &Arc<AtomicUsize>| {
        let runs = Arc::clone(runs);
        Router::new()
            .route("t", move |_: Ctx| {
                runs.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>()
            })
            .unwrap()
    };
    for run in 1..=3 {
        let server = Server::builder(&client).router(router(&runs)).start().await.unwrap();
        while runs.load(Ordering::SeqCst) < run {
            sleep(Duration::from_millis(100)).await;
        }
        drop(server);
    }
    let server = Server::builder(&client).router(router(&runs)).start().await.unwrap();
    sleep(Duration::from_secs(20)).await;
    let pill = info(&client, "pill").await.unwrap();
    assert_eq!(pill.state, TaskState::Archived);
    assert_eq!(pill.last_error, "poison pill: 3 workers died while they ran this task");
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_long_task_keeps_its_lease_beside_other_servers() {
    let client = in_memory();
    let (other, mut told) = telling(&client, |_| Ok(()));
    let long = Router::new().route("t", async |_: Ctx| sleep(Duration::from_secs(1_500)).await).unwrap();
    let server = Server::builder(&client).router(long).start().await.unwrap();
    client.enqueue(task("it", TaskOptions::new())).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let other = other.start().await.unwrap();
    sleep(Duration::from_secs(1_490)).await;
    assert_eq!(info(&client, "it").await.unwrap().state, TaskState::Active);
    sleep(Duration::from_secs(20)).await;
    assert!(info(&client, "it").await.is_none());
    assert!(told.try_recv().is_err(), "nobody else ran it");
    server.shutdown().await;
    other.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_long_outage_a_server_that_lives_keeps_its_task() {
    let client = in_memory();
    let (broker, queue) = (client.broker(), QueueName::default());
    client.enqueue(task("it", TaskOptions::new())).await.unwrap();
    let demand = Demand {
        server_id: "a".to_owned(),
        slots: 1,
        queues: vec![QueueShare::new(queue.clone(), 1)],
        strict: true,
        ..Demand::none()
    };
    let leased = broker.exchange(&[], &demand).await.unwrap().leased.pop().unwrap();
    broker.beat("a", std::slice::from_ref(&queue)).await.unwrap();
    // Nobody reaches the store until its lease is long over. Then another server is there first.
    sleep(Duration::from_secs(90)).await;
    let (other, mut told) = telling(&client, |_| Ok(()));
    let other = other.start().await.unwrap();
    for _ in 0..10 {
        sleep(Duration::from_secs(2)).await;
        broker.beat("a", std::slice::from_ref(&queue)).await.unwrap();
        let until = broker.clock().unix_seconds() + LEASE.as_secs().cast_signed();
        let run = LeaseRef { id: leased.id.clone(), run: leased.run.clone() };
        assert_eq!(broker.extend_leases(&queue, &[run], until).await.unwrap(), [true]);
    }
    assert!(told.try_recv().is_err(), "nobody else ran it");
    other.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_failure_uses_up_no_retry() {
    let client = in_memory();
    let (server, mut told) = telling(&client, |ctx| match ctx.payload().len() {
        0 => Err("not yet".to_owned()),
        _ => Ok(()),
    });
    let server = server
        .is_failure(|error| error.to_string() != "not yet")
        .retry_policy(RetryPolicy::Fixed(Duration::from_secs(60)))
        .start()
        .await
        .unwrap();
    client.enqueue(task("it", TaskOptions::new().max_retry(1))).await.unwrap();
    for _ in 0..10 {
        assert_eq!(told.recv().await.unwrap().0.retried(), 0);
    }
    assert_eq!(info(&client, "it").await.unwrap().last_error, "not yet");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn completed_tasks_go_when_their_retention_is_over() {
    let client = in_memory();
    let (server, _told) = telling(&client, |_| Ok(()));
    let server = server.start().await.unwrap();
    let options = TaskOptions::new().retention(Duration::from_secs(3_600));
    client.enqueue(task("it", options)).await.unwrap();
    sleep(Duration::from_secs(3_590)).await;
    assert_eq!(info(&client, "it").await.unwrap().state, TaskState::Completed);
    sleep(Duration::from_secs(30)).await;
    assert!(info(&client, "it").await.is_none());
    server.shutdown().await;
}
