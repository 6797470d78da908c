//! Middleware around all handlers, around those of one router, and around one job; routers with fallbacks and of
//! several parts; and types that no handler is for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::broker::MemoryBroker;
use asynq::clock::Clock;
use asynq::{
    BoxError, Client, Ctx, HandlerNotFound, Middleware, Next, Router, Server, SkipRetry, State, Task,
    TaskOptions, TaskState, UnknownTypes, middleware_fn,
};
use asynq_testkit::eventually;
use tokio::time::{Instant, sleep};

use crate::support::{gone, in_state, info, redis, telling, worker};

fn in_memory() -> Client {
    let clock = Clock::with_tokio_time("2033-05-18T03:33:20Z".parse().unwrap());
    Client::new(Arc::new(MemoryBroker::new(clock)))
}

fn task(kind: &str, id: &str) -> Task {
    Task::new(kind, "").unwrap().options(TaskOptions::new().task_id(id))
}

/// What was seen, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A middleware that notes each task on its way in and out.
    fn layer(&self, name: &'static str) -> impl Middleware + Clone + Send + use<> {
        let log = self.clone();
        middleware_fn(move |ctx: Ctx, next: Next| {
            let log = log.clone();
            async move {
                log.note(format!("{name} in"));
                let result = next.run(ctx).await;
                log.note(format!("{name} out{}", if result.is_err() { ", failed" } else { "" }));
                result
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_comes_first_then_the_router_then_the_handlers_own() {
    let (client, log) = (in_memory(), Log::default());
    let handler = {
        let log = log.clone();
        asynq::Handler::function(move |_: Ctx| {
            log.note("handler");
            std::future::ready(())
        })
    };
    let router = Router::new()
        .handle("plain", handler.clone())
        .unwrap()
        .handle("layered", handler.layer(&log.layer("own")))
        .unwrap()
        .layer(&log.layer("router, first"))
        .layer(&log.layer("router, last"));
    let server = Server::builder(&client)
        .router(router)
        .layer(log.layer("server, first"))
        .layer(log.layer("server, last"))
        .start()
        .await
        .unwrap();
    client.enqueue(task("layered", "1")).await.unwrap();
    gone(&client, "default", "1").await;
    let layers = ["server, first", "server, last", "router, last", "router, first", "own"];
    let inwards = layers.iter().map(|name| format!("{name} in"));
    let outwards = layers.iter().rev().map(|name| format!("{name} out"));
    let expected: Vec<String> = inwards.chain(["handler".to_owned()]).chain(outwards).collect();
    assert_eq!(log.take(), expected);

    // The middleware of the server sees also what has no handler.
    client.enqueue(task("unknown", "2").options(TaskOptions::new().max_retry(0))).await.unwrap();
    let archived = in_state(&client, "default", "2", TaskState::Archived).await;
    assert_eq!(archived.last_error, "handler not found for task \"unknown\"");
    let expected =
        ["server, first in", "server, last in", "server, last out, failed", "server, first out, failed"];
    assert_eq!(log.take(), expected);
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn middleware_may_refuse_a_task_or_change_its_result() {
    let client = in_memory();
    let (router, mut told) = telling(&["t"]);
    let gate = middleware_fn(async |ctx: Ctx, next: Next| {
        if ctx.task_id() == "refused" {
            return Err(SkipRetry::new("not today").into());
        }
        match next.run(ctx).await {
            Err(error) if error.to_string().starts_with("handler not found") => Ok(asynq::Outcome::default()),
            result => result,
        }
    });
    let server = Server::builder(&client).router(router).layer(gate).start().await.unwrap();
    client.enqueue(task("t", "refused")).await.unwrap();
    let refused = in_state(&client, "default", "refused", TaskState::Archived).await;
    assert!(refused.last_error.starts_with("not today"), "{}", refused.last_error);
    client.enqueue(task("unknown", "forgiven")).await.unwrap();
    gone(&client, "default", "forgiven").await;
    assert!(told.try_recv().is_err(), "no handler ran");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_middleware_is_a_failed_attempt() {
    let client = in_memory();
    let (router, _told) = telling(&["t"]);
    let broken =
        middleware_fn(|_: Ctx, _: Next| -> std::future::Ready<asynq::HandlerResult> { panic!("oops") });
    let server = worker(&client, router, &["default"]).layer(broken).start().await.unwrap();
    client.enqueue(task("t", "it").options(TaskOptions::new().max_retry(0))).await.unwrap();
    let archived = in_state(&client, "default", "it", TaskState::Archived).await;
    assert_eq!(archived.last_error, "panic: oops");
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn typed_and_untyped_handlers_and_a_fallback_live_in_one_router() {
    let (client, log) = (in_memory(), Log::default());
    let noting = |name: &'static str| {
        let log = log.clone();
        move |ctx: Ctx| {
            log.note(format!("{name}: {}", ctx.task_type()));
            std::future::ready(())
        }
    };
    let images = Router::new().route("image:", noting("images")).unwrap().layer(&log.layer("for images"));
    let router = Router::registered().unwrap().merge(images).unwrap().fallback(noting("fallback")).unwrap();
    // Jobs of other tests are registered, too, and this is what they need.
    let server = Server::builder(&client)
        .router(router)
        .state(tokio::sync::mpsc::channel::<u32>(1).0)
        .state(tokio::sync::mpsc::channel::<(String, Vec<String>)>(1).0)
        .state(crate::testing::Outbox::default());
    let server = server.state(log.clone()).start().await.unwrap();
    LayeredJob { id: 7 }.enqueue(&client).await.unwrap();
    eventually("the job has run", async || {
        log.0.lock().unwrap().iter().any(|line| line == "job 7").then_some(())
    })
    .await;
    sleep(Duration::from_millis(10)).await;
    assert_eq!(log.take(), ["around the job", "job 7", "after the job"]);
    for kind in ["image:resize", "unheard of"] {
        client.enqueue(task(kind, kind)).await.unwrap();
        gone(&client, "default", kind).await;
    }
    let expected = ["for images in", "images: image:resize", "for images out", "fallback: unheard of"];
    assert_eq!(log.take(), expected);
    server.shutdown().await;
}

/// Notes what it passes.
fn around_the_job() -> impl Middleware {
    middleware_fn(async |ctx: Ctx, next: Next| {
        let log = ctx.state::<Log>().unwrap().clone();
        log.note("around the job");
        let result = next.run(ctx).await;
        log.note("after the job");
        result
    })
}

#[asynq::job(name = "middleware:layered", layer = around_the_job(), concurrency = 2)]
async fn layered_job(id: u32, log: Option<State<Log>>) {
    log.unwrap().0.note(format!("job {id}"));
}

/// A new program puts its tasks beside an old worker, which lets them be.
async fn an_unknown_type_is_put_back_until_somebody_knows_it(client: Client) {
    let (router, _old) = telling(&["old"]);
    let old = worker(&client, router, &["default"])
        .unknown_types(UnknownTypes::PutBack { delay: Duration::from_secs(1), limit: 1_000 })
        .start()
        .await
        .unwrap();
    client.enqueue(task("new", "it").options(TaskOptions::new().max_retry(0))).await.unwrap();
    let waiting = in_state(&client, "default", "it", TaskState::Retry).await;
    assert_eq!((waiting.retried, waiting.max_retry), (0, 0));
    assert_eq!(
        waiting.last_error,
        "handler not found for task \"new\"; put back for a server that has one, 1000 times at most"
    );
    let (router, mut told) = telling(&["new"]);
    let new = worker(&client, router, &["default"]).start().await.unwrap();
    old.shutdown().await;
    let ctx = told.recv().await.unwrap();
    assert_eq!((ctx.task_id().as_str(), ctx.retried()), ("it", 0));
    gone(&client, "default", "it").await;
    new.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_type_is_put_back_until_somebody_knows_it_on_redis() {
    let (redis, client) = redis().await;
    an_unknown_type_is_put_back_until_somebody_knows_it(client).await;
    let counters: Vec<Option<i64>> =
        redis.command(&["MGET", "asynq:{default}:processed", "asynq:{default}:failed"]).await;
    assert_eq!(counters, [Some(1), None], "being put back is neither processed nor failed");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_type_is_put_back_until_somebody_knows_it_in_memory() {
    an_unknown_type_is_put_back_until_somebody_knows_it(in_memory()).await;
}

#[tokio::test(start_paused = true)]
async fn a_type_that_nobody_ever_knows_is_archived_with_its_cause() {
    let client = in_memory();
    let (router, _told) = telling(&["known"]);
    let server = worker(&client, router, &["default"]).unknown_types(UnknownTypes::put_back());
    // Wrapped by a middleware, the cause is found all the same.
    let wrapping = middleware_fn(async |ctx: Ctx, next: Next| {
        next.run(ctx).await.map_err(|error| Box::new(Wrapped(error)) as BoxError)
    });
    let server = server.layer(wrapping).start().await.unwrap();
    let begin = Instant::now();
    client.enqueue(task("unknown", "it")).await.unwrap();
    sleep(Duration::from_secs(58 * 60)).await;
    assert_eq!(info(&client, "default", "it").await.unwrap().state, TaskState::Retry);
    let archived = eventually("it is given up", async || {
        sleep(Duration::from_secs(10)).await;
        info(&client, "default", "it").await.filter(|info| info.state == TaskState::Archived)
    })
    .await;
    assert!(begin.elapsed() < Duration::from_secs(70 * 60), "{:?}", begin.elapsed());
    assert_eq!(
        archived.last_error,
        "in my middleware: handler not found for task \"unknown\"; put back for a server that has one, 120 times at most"
    );
    assert_eq!(archived.retried, 0);
    server.shutdown().await;

    let text = Server::builder(&client)
        .unknown_types(UnknownTypes::PutBack { delay: Duration::from_secs(1), limit: 0 })
        .start()
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(text, "invalid setting `unknown_types`: limit must be 1 or more, got 0");
}

#[derive(Debug)]
struct Wrapped(BoxError);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("in my middleware")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

#[test]
fn what_is_not_found_names_the_type() {
    let text = HandlerNotFound("x".to_owned()).to_string();
    assert_eq!(text, "handler not found for task \"x\"");
}
