//! Failures and cancellations: policies, hooks, limits of the archive, and what Go makes of them.

use std::sync::Arc;
use std::time::Duration;

use asynq::{
    ArchiveLimits, BoxError, Cancelled, Client, Ctx, Ended, Fate, OnCancel, RetryIn, RetryPolicy, Revoke,
    Router, SkipRetry, Task, TaskOptions, TaskState, job,
};
use asynq_testkit::{GoPeer, eventually};
use tokio::sync::mpsc;

use crate::support::{gone, in_state, info, redis, worker};

/// What a hook was told, in one line.
fn line(ended: &Ended<'_>) -> String {
    let error = ended.error.map_or_else(|| "ok".to_owned(), ToString::to_string);
    let fate = match ended.fate {
        Fate::Retry(_) => "retry".to_owned(),
        Fate::PutBack(_) => "put back".to_owned(),
        fate => format!("{fate:?}").to_lowercase(),
    };
    format!("{} {error} {fate}", ended.task.id)
}

/// A hook that hands on what it is told.
fn telling() -> (impl Fn(&Ended<'_>) + Send + Sync + 'static, mpsc::UnboundedReceiver<String>) {
    #[expect(clippy::disallowed_methods, reason = "a hook cannot wait, and a test tells little")]
    let (tell, told) = mpsc::unbounded_channel();
    (move |ended: &Ended<'_>| drop(tell.send(line(ended))), told)
}

fn task(id: &str) -> Task {
    Task::new("t", id.to_owned()).unwrap().options(TaskOptions::new().task_id(id))
}

/// A handler that comes to what the ID of its task says.
fn by_id() -> Router {
    Router::new()
        .route("t", async |ctx: Ctx| match ctx.task_id().as_str() {
            "fails" | "last" => Err(BoxError::from("it broke")),
            "skips" => Err(SkipRetry::new("no use").into()),
            "revokes" => Err(Revoke::new("void").into()),
            "later" => Err(RetryIn::new(Duration::from_secs(60), "busy").into()),
            "panics" => panic!("a bug"),
            _ => Ok(()),
        })
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_are_told_once_of_each_end() {
    let (_redis, client) = redis().await;
    for client in [client, Client::in_memory()] {
        let ((on_end, mut ends), (on_archive, mut archived)) = (telling(), telling());
        let (errors, mut failed) = mpsc::channel(20);
        let server = worker(&client, by_id(), &["default"])
            .on_end(|_| panic!("b21: a hook that panics"))
            .on_end(on_end)
            .on_archive(on_archive)
            .on_error(move |ended, error| {
                drop(errors.try_send(format!("{} {error} after {:?}", ended.task.id, ended.took.is_some())));
            })
            .start()
            .await
            .unwrap();
        client
            .enqueue(task("keeps").options(TaskOptions::new().retention(Duration::from_secs(60))))
            .await
            .unwrap();
        client.enqueue(task("last").options(TaskOptions::new().max_retry(0))).await.unwrap();
        for id in ["succeeds", "fails", "skips", "revokes", "later", "panics"] {
            client.enqueue(task(id).options(TaskOptions::new().max_retry(1))).await.unwrap();
        }
        let mut told = Vec::new();
        // Two fail twice within the test.
        for _ in 0..10 {
            told.push(ends.recv().await.unwrap());
        }
        told.sort();
        assert_eq!(
            told,
            [
                "fails it broke archived",
                "fails it broke retry",
                "keeps ok completed",
                "last it broke archived",
                "later busy retry",
                "panics panic: a bug archived",
                "panics panic: a bug retry",
                "revokes void deleted",
                "skips no use archived",
                "succeeds ok deleted",
            ]
        );
        server.shutdown().await;
        let mut given_up = Vec::new();
        while let Ok(told) = archived.try_recv() {
            given_up.push(told);
        }
        assert_eq!(given_up.len(), 4, "{given_up:?}");
        let mut errors = 0;
        while let Ok(told) = failed.try_recv() {
            assert!(told.ends_with("after true"), "{told}");
            errors += 1;
        }
        assert_eq!(errors, 8, "every end but the two successes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_are_told_of_tasks_whose_worker_died() {
    let (redis, client) = redis().await;
    // As a Go worker leaves it that died long ago.
    client.enqueue(task("go").options(TaskOptions::new().max_retry(0))).await.unwrap();
    let key = |name: &str| format!("asynq:{{default}}:{name}");
    redis.command::<String>(&["RPOPLPUSH", &key("pending"), &key("active")]).await;
    redis.command::<i64>(&["ZADD", &key("lease"), "1", "go"]).await;
    redis.command::<i64>(&["HSET", &key("t:go"), "state", "active"]).await;
    let (on_archive, mut archived) = telling();
    let server = worker(&client, by_id(), &["default"]).on_archive(on_archive).start().await.unwrap();
    assert_eq!(archived.recv().await.unwrap(), "go asynq: task lease expired archived");
    in_state(&client, "default", "go", TaskState::Archived).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_has_limits_of_ones_own_or_is_none() {
    let (redis, client) = redis().await;
    for client in [client.clone(), Client::in_memory()] {
        let two = ArchiveLimits { tasks: 2, ..ArchiveLimits::default() };
        let server =
            worker(&client, by_id(), &["default"]).concurrency(1).archive_limits(two).start().await.unwrap();
        for number in 0..5 {
            let skips =
                Task::new("t", number.to_string()).unwrap().options(TaskOptions::new().task_id("skips"));
            drop(client.enqueue(skips).await);
            let id = format!("unknown{number}");
            let unknown = Task::new("other", "").unwrap();
            let options = TaskOptions::new().max_retry(0).task_id(&id);
            client.enqueue(unknown.options(options)).await.unwrap();
            eventually("it has ended", async || {
                info(&client, "default", &id)
                    .await
                    .is_none_or(|info| info.state == TaskState::Archived)
                    .then_some(())
            })
            .await;
        }
        let left = asynq::Inspector::new(&client).queue_info("default").await.unwrap().archived;
        assert_eq!(left, 2);
        server.shutdown().await;
    }
    let server =
        worker(&client, by_id(), &["default"]).archive_limits(ArchiveLimits::NONE).start().await.unwrap();
    let unique = TaskOptions::new().task_id("gone").max_retry(0).unique(Duration::from_secs(600));
    client.enqueue(Task::new("other", "").unwrap().options(unique)).await.unwrap();
    gone(&client, "default", "gone").await;
    let keys: Vec<String> = redis.command(&["KEYS", "asynq:{default}:unique:*"]).await;
    assert!(keys.is_empty(), "no lock is left: {keys:?}");
    server.shutdown().await;
}

/// A handler that waits to be cancelled, and what it then comes to.
fn waiting() -> (Router, mpsc::Receiver<()>) {
    let (tell, told) = mpsc::channel(10);
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let tell = tell.clone();
            async move {
                tell.send(()).await?;
                ctx.cancelled().await;
                match ctx.task_id().as_str() {
                    "finishes" => Ok(()),
                    "skips" => Err(BoxError::from(SkipRetry::new("half of it is done"))),
                    "fails" => Err("the other side hung up".into()),
                    "gives up" => Err(Cancelled.into()),
                    _ => std::future::pending().await,
                }
            }
        })
        .unwrap();
    (router, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_handler_says_what_becomes_of_its_task_and_a_setting_where_it_does_not() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    for on_cancel in [OnCancel::Retry, OnCancel::Archive, OnCancel::Delete] {
        let (router, mut told) = waiting();
        let server = worker(&client, router, &["default"])
            .retry_policy(RetryPolicy::Fixed(Duration::from_secs(600)))
            .cancel_grace(Duration::from_millis(300))
            .on_cancel(on_cancel)
            .start()
            .await
            .unwrap();
        let ids = ["finishes", "skips", "fails", "gives up", "hangs"];
        for id in ids {
            client.enqueue(task(id)).await.unwrap();
            told.recv().await.unwrap();
            go.inspect(&["cancel", id]).await;
        }
        gone(&client, "default", "finishes").await;
        let skipped = in_state(&client, "default", "skips", TaskState::Archived).await;
        assert!(skipped.last_error.starts_with("half of it is done"), "{}", skipped.last_error);
        let failed = in_state(&client, "default", "fails", TaskState::Retry).await;
        assert_eq!(failed.last_error, "the other side hung up");
        for id in ["gives up", "hangs"] {
            let state = match on_cancel {
                OnCancel::Archive => TaskState::Archived,
                OnCancel::Delete => {
                    gone(&client, "default", id).await;
                    continue;
                }
                _ => TaskState::Retry,
            };
            let info = in_state(&client, "default", id, state).await;
            assert_eq!(info.last_error, "context canceled");
        }
        server.shutdown().await;
        let inspector = asynq::Inspector::new(&client);
        inspector.force_delete_queue("default").await.unwrap();
    }
}

/// The server has a runtime of its own: a blocked thread may keep what shares its runtime, the test, from going on.
#[test]
fn b15_a_handler_that_blocks_its_thread_keeps_its_slot_and_is_counted() {
    let runtime = |threads| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
    };
    let (test, servers) = (runtime(1), runtime(3));
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let blocked = Arc::clone(&blocked);
            async move {
                if ctx.task_id() == "blocks" {
                    drop(blocked.lock().map(|blocked| blocked.recv()));
                }
            }
        })
        .unwrap();
    let (redis, client) = test.block_on(redis());
    let server = servers.block_on(async {
        let client = Client::connect(&redis.url()).await.unwrap();
        worker(&client, router, &["default"]).concurrency(1).start().await.unwrap()
    });
    let handle = server.handle();
    test.block_on(async {
        let timeout = TaskOptions::new().timeout(Duration::from_secs(1));
        client.enqueue(task("blocks").options(timeout)).await.unwrap();
        client.enqueue(task("waits")).await.unwrap();
        let is_overdue = async || Some(handle.slots()).filter(|slots| slots.overdue == 1);
        let slots = eventually("it is overdue", is_overdue).await;
        assert_eq!((slots.all, slots.running), (1, 1), "it keeps its slot");
        assert_eq!(info(&client, "default", "waits").await.unwrap().state, TaskState::Pending);
        release.send(()).unwrap();
        gone(&client, "default", "waits").await;
        eventually("the slots are free", async || Some(handle.slots()).filter(|slots| slots.running == 0))
            .await;
    });
    servers.block_on(server.shutdown());
}

fn in_seven_seconds(retried: i32, _: &BoxError) -> Duration {
    Duration::from_secs(7 + u64::from(retried.unsigned_abs()))
}

#[job(backoff = fixed("30s"))]
async fn backs_off_by_a_fixed_delay() -> Result<(), String> {
    Err("it broke".to_owned())
}

#[job(backoff = in_seven_seconds)]
async fn backs_off_as_a_function_says() -> Result<(), String> {
    Err("it broke".to_owned())
}

#[job(on_cancel = archive)]
async fn is_archived_when_cancelled(ctx: &Ctx) -> Result<(), Cancelled> {
    ctx.cancelled().await;
    Err(Cancelled)
}

#[tokio::test(start_paused = true)]
async fn jobs_have_policies_of_their_own() {
    let rig = asynq::testing::Rig::new();
    BacksOffByAFixedDelay::new().enqueue(rig.client()).task_id("fixed").await.unwrap();
    BacksOffAsAFunctionSays::new().enqueue(rig.client()).task_id("function").await.unwrap();
    rig.drain().await;
    for (id, seconds) in [("fixed", 30), ("function", 7)] {
        let info = info(rig.client(), "default", id).await.unwrap();
        let delay = info.next_process_at.unwrap().duration_since(info.last_failed_at.unwrap());
        assert_eq!(delay.as_secs(), seconds, "{id}");
    }
}

#[test]
fn a_job_says_what_becomes_of_it_when_it_is_cancelled() {
    let jobs = asynq::router::registered().unwrap();
    let job = jobs.into_iter().find(|job| job.name == "is_archived_when_cancelled").unwrap();
    assert_eq!(job.on_cancel, Some(OnCancel::Archive));
}
