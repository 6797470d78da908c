//! Jobs made by `#[job]`, run by a worker on a real Redis.

use asynq::router::registered;
use asynq::{Ctx, Handler, Router, Server, State, Task, TaskOptions, TaskState, job};
use tokio::sync::mpsc;

use crate::support::{gone, in_state, redis, worker};

/// Adds two numbers; a job that enqueues a job.
#[job(name = "typed:add", queue = "typed", retry = 3, retention = "10m")]
async fn add(a: u32, b: u32, ctx: &Ctx, State(seen): State<mpsc::Sender<u32>>) -> anyhow::Result<u32> {
    if a == 0 {
        Add::new(b, b).enqueue(ctx).task_id("next").await?;
    }
    seen.send(a + b).await?;
    Ok(a + b)
}

/// A router for the jobs of this file alone: the test binary has others.
fn router() -> Router {
    let job = registered().unwrap().into_iter().find(|job| job.name == "typed:add").unwrap();
    Router::new().handle(job.name, Handler::registered(job.run)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_runs_with_its_arguments_its_state_and_its_result() {
    let (_redis, client) = redis().await;
    let (sender, mut seen) = mpsc::channel::<u32>(10);
    let server = worker(&client, router(), &["typed"]).state(sender).start().await.unwrap();
    Add::new(1, 2).enqueue(&client).task_id("first").await.unwrap();
    Add::new(0, 4).enqueue(&client).await.unwrap();
    let mut sums = Vec::new();
    while sums.len() < 3 {
        sums.push(seen.recv().await.unwrap());
    }
    sums.sort_unstable();
    assert_eq!(sums, [3, 4, 8]);
    let done = in_state(&client, "typed", "first", TaskState::Completed).await;
    assert_eq!((done.result.as_deref(), done.max_retry), (Some(b"3".as_slice()), 3));
    assert_eq!(done.payload.as_ref(), br#"{"a":1,"b":2}"#);
    in_state(&client, "typed", "next", TaskState::Completed).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_that_does_not_decode_is_archived_at_once_with_the_reason() {
    let (_redis, client) = redis().await;
    let (sender, _seen) = mpsc::channel::<u32>(1);
    let server = worker(&client, router(), &["typed"]).state(sender).start().await.unwrap();
    let wrong = Task::new("typed:add", r#"{"a":1,"b":"two"}"#).unwrap();
    client.enqueue(wrong.options(TaskOptions::new().queue("typed").task_id("bad"))).await.unwrap();
    let archived = in_state(&client, "typed", "bad", TaskState::Archived).await;
    assert_eq!(archived.retried, 0);
    // The value may be a secret: it is not told.
    let told = "payload of `typed:add` cannot be decoded: field `b` (line 1, column 16): invalid type: string, expected u32";
    assert!(archived.last_error.starts_with(told), "{}", archived.last_error);
    // The queue goes on.
    Add::new(1, 1).enqueue(&client).retention(std::time::Duration::ZERO).task_id("good").await.unwrap();
    gone(&client, "typed", "good").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_lacks_a_jobs_state_or_queue_does_not_start() {
    let (_redis, client) = redis().await;
    let error = Server::builder(&client).registered().queues([("other", 1)]).start().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(".rs:") && (text.contains("queue") || text.contains("State<")), "{text}");
}

#[tokio::test]
async fn many_jobs_go_in_one_call_and_each_has_its_answer() {
    let (_redis, client) = redis().await;
    let infos = client.enqueue_all((0..600).map(|n| Add::new(n, n))).await;
    assert_eq!(infos.len(), 600);
    assert!(infos.iter().all(|info| info.as_ref().is_ok_and(|info| info.queue == "typed")));
}
