//! Bad input and a broker in trouble: each has an answer, and the queue goes on.

use std::time::Duration;

use asynq::{Client, Ctx, Router, Task, TaskOptions, TaskState};
use asynq_testkit::{GoPeer, RedisServer, eventually};

use crate::support::{chain, doing, gone, in_state, redis, telling, worker};

fn named(id: &str) -> TaskOptions {
    TaskOptions::new().task_id(id)
}

#[tokio::test]
async fn no_redis_is_one_error_with_the_address_and_without_the_password() {
    let error = Client::connect("redis://user:secret@127.0.0.1:1/0").await.unwrap_err();
    let text = chain(&error);
    assert!(text.starts_with("cannot connect to"), "{text}");
    assert!(text.contains("127.0.0.1:1") && text.contains("check that the server runs"), "{text}");
    assert!(!text.contains("secret") && !format!("{error:?}").contains("secret"), "{text}");
}

#[tokio::test]
async fn a_wrong_url_says_which_part_is_wrong() {
    let wrong = [
        ("http://localhost", "scheme is not supported; known are redis://"),
        ("redis://localhost/x", "database"),
        ("redis://:secret@localhost:99999", "port"),
        ("redis-socket://", "path"),
        ("localhost:6379", "scheme"),
        #[cfg(not(feature = "rustls"))]
        ("rediss://localhost", "feature `rustls`"),
    ];
    for (url, part) in wrong {
        let error = Client::connect(url).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, asynq::Error::InvalidUrl { .. }), "{url}: {text}");
        assert!(text.starts_with("invalid broker URL: ") && text.contains(part), "{url}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn a_unix_socket_will_do() {
    let redis = RedisServer::start().await;
    let url = format!("redis-socket://{}?db=2", redis.socket().display());
    let client = Client::connect(&url).await.unwrap();
    client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_names_itself() {
    let redis = RedisServer::start_with(&["--requirepass", "right"]).await;
    let url = format!("redis://:wrong@127.0.0.1:{}", redis.port());
    let text = chain(&Client::connect(&url).await.unwrap_err());
    assert!(text.contains("denied") && !text.contains("wrong@"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_type_is_retried_as_in_go() {
    let (_redis, client) = redis().await;
    let (router, _told) = telling(&["known"]);
    let server = worker(&client, router, &["default"])
        .retry_policy(asynq::RetryPolicy::Fixed(Duration::from_secs(600)))
        .start()
        .await
        .unwrap();
    client.enqueue(Task::new("unknown", "").unwrap().options(named("u"))).await.unwrap();
    let failed = in_state(&client, "default", "u", TaskState::Retry).await;
    assert_eq!((failed.last_error.as_str(), failed.retried), ("handler not found for task \"unknown\"", 1));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_a_failed_attempt() {
    let (_redis, client) = redis().await;
    let router = Router::new()
        .route("panics", async |ctx: Ctx| assert!(ctx.retried() > 0, "not this time"))
        .unwrap()
        .route("panics:early", |_: Ctx| -> std::future::Ready<()> { panic!("before the first await") })
        .unwrap();
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    let kept = TaskOptions::new().retention(Duration::from_secs(600));
    client.enqueue(Task::new("panics", "").unwrap().options(kept.task_id("p"))).await.unwrap();
    client.enqueue(Task::new("panics:early", "").unwrap().options(named("e").max_retry(0))).await.unwrap();
    let done = in_state(&client, "default", "p", TaskState::Completed).await;
    assert_eq!((done.last_error.as_str(), done.retried), ("panic: not this time", 1));
    let archived = in_state(&client, "default", "e", TaskState::Archived).await;
    assert_eq!(archived.last_error, "panic: before the first await");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_message_are_moved_aside_and_the_queue_goes_on() {
    let (redis, client) = redis().await;
    let task = "asynq:{default}:t:garbage";
    redis.command::<i64>(&["HSET", task, "msg", "\u{1}\u{2} not protobuf", "state", "pending"]).await;
    redis.command::<i64>(&["LPUSH", "asynq:{default}:pending", "garbage"]).await;
    // An ID without a task, and one whose key holds something else.
    redis.command::<i64>(&["LPUSH", "asynq:{default}:pending", "dangling"]).await;
    redis.command::<()>(&["SET", "asynq:{default}:t:odd", "a string"]).await;
    redis.command::<i64>(&["LPUSH", "asynq:{default}:pending", "odd"]).await;
    client.enqueue(Task::new("t", "").unwrap().options(named("good"))).await.unwrap();
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    assert_eq!(told.recv().await.unwrap().task_id(), "good");
    redis
        .until::<Option<String>>(&["HGET", task, "state"], |state| state.as_deref() == Some("archived"))
        .await;
    gone(&client, "default", "good").await;
    assert_eq!(redis.command::<String>(&["HGET", task, "msg"]).await, "\u{1}\u{2} not protobuf");
    assert_eq!(
        redis.command::<Vec<String>>(&["ZRANGE", "asynq:{default}:archived", "0", "-1"]).await,
        ["garbage"]
    );
    for key in ["pending", "active", "lease"] {
        assert_eq!(redis.command::<i64>(&["EXISTS", &format!("asynq:{{default}}:{key}")]).await, 0, "{key}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_and_odd_things_pass_unchanged() {
    let (redis, client) = redis().await;
    let go = GoPeer::new(&redis.url());
    let queues = ["with space", "ünïcödé", "a:b{c}d", "{}", "line\nbreak", "*?[x]", "-dash"];
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &queues).start().await.unwrap();
    for queue in queues {
        let task = Task::new("t", queue).unwrap().options(TaskOptions::new().queue(queue));
        client.enqueue(task).await.unwrap();
        let ctx = told.recv().await.unwrap();
        assert_eq!((ctx.queue().as_str(), ctx.payload().as_ref()), (queue, queue.as_bytes()));
    }
    let payload = vec![0xff_u8; 10 * 1024 * 1024];
    let big = Task::new("t", payload.clone()).unwrap().options(TaskOptions::new().queue("{}"));
    client.enqueue(big).await.unwrap();
    assert_eq!(told.recv().await.unwrap().payload().as_ref(), payload.as_slice());
    let mut headers = Task::new("t", "").unwrap().options(TaskOptions::new().queue("{}"));
    for n in 0..10_000 {
        headers = headers.header(format!("name-{n}"), format!("välue {n}"));
    }
    client.enqueue(headers).await.unwrap();
    let ctx = told.recv().await.unwrap();
    assert_eq!((ctx.headers().len(), ctx.headers()["name-9999"].as_str()), (10_000, "välue 9999"));
    server.shutdown().await;
    let mut known: Vec<String> = redis.command(&["SMEMBERS", "asynq:queues"]).await;
    known.sort();
    let mut all = queues.map(str::to_owned).to_vec();
    all.sort();
    assert_eq!(known, all);
    assert_eq!(go.inspect(&["queues"]).await["queues"].as_array().unwrap().len(), queues.len());
}

#[tokio::test]
async fn wrong_options_are_refused_before_anything_is_sent() {
    let (redis, client) = redis().await;
    let wrong = [
        (
            TaskOptions::new().queue("  "),
            "invalid option `queue`: queue name must contain one or more characters that are not white space, got \"  \"",
        ),
        (
            TaskOptions::new().task_id(""),
            "invalid option `task_id`: task id must contain one or more characters that are not white space, got \"\"",
        ),
        (TaskOptions::new().group(" "), "invalid option `group`: must not be blank, got \" \""),
        (
            TaskOptions::new().unique(Duration::from_millis(999)),
            "invalid option `unique`: 999ms is less than the minimum of one second",
        ),
        (
            TaskOptions::new().max_retry(u32::MAX),
            "invalid option `max_retry`: 4294967295 is more than 2147483647",
        ),
        (TaskOptions::new().process_in(Duration::MAX), "invalid option `process_in`:"),
        (TaskOptions::new().queue("").queue("fine"), "invalid option `queue`:"),
    ];
    for (options, expected) in wrong {
        let error = client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    assert!(Task::new("\u{a0}", "").is_err());
    assert_eq!(redis.command::<i64>(&["DBSIZE"]).await, 0);
}

#[tokio::test]
async fn one_bad_task_of_many_does_not_keep_the_others_out() {
    let (_redis, client) = redis().await;
    let task = |id: &str| Task::new("t", id.to_owned()).unwrap().options(named(id));
    let unique =
        |id: &str| Task::new("unique", "same").unwrap().options(named(id).unique(Duration::from_secs(60)));
    let results = client
        .enqueue_all([
            task("a"),
            task("b").options(TaskOptions::new().queue("")),
            task("a"),
            unique("u1"),
            unique("u2"),
            task("c").options(TaskOptions::new().queue("other").group("g")),
        ])
        .await;
    let told: Vec<String> = results
        .iter()
        .map(|r| r.as_ref().map_or_else(ToString::to_string, |i| i.state.to_string()))
        .collect();
    assert_eq!(
        told,
        [
            "pending",
            "invalid option `queue`: queue name must contain one or more characters that are not white space, got \"\"",
            "task ID conflicts with another task: queue `default` has `a`",
            "pending",
            "task already exists: `u1` in queue `default` holds the uniqueness lock",
            "aggregating",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_is_waited_for() {
    let (redis, client) = redis().await;
    let (router, mut told) = doing(&["t"], |_| Ok(()));
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    client.enqueue(Task::new("t", "").unwrap().options(named("before"))).await.unwrap();
    assert_eq!(told.recv().await.unwrap().task_id(), "before");
    redis.freeze();
    // The client's own limit ends this call; the worker's calls hang and fail meanwhile.
    let error = client.enqueue(Task::new("t", "").unwrap().options(named("lost?"))).await.unwrap_err();
    assert!(
        matches!(&error, asynq::Error::Broker(broker) if broker.kind() == asynq::broker::BrokerErrorKind::Unavailable),
        "{error}"
    );
    redis.thaw();
    eventually("the client works again", async || client.enqueue(Task::new("t", "").unwrap()).await.ok())
        .await;
    assert!(told.recv().await.is_some());
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_redis_forgot_are_sent_again() {
    let (redis, client) = redis().await;
    let (router, mut told) = telling(&["t"]);
    let server = worker(&client, router, &["default"]).start().await.unwrap();
    for id in ["one", "two", "three"] {
        redis.command::<()>(&["SCRIPT", "FLUSH"]).await;
        client.enqueue(Task::new("t", "").unwrap().options(named(id))).await.unwrap();
        assert_eq!(told.recv().await.unwrap().task_id(), id);
        gone(&client, "default", id).await;
    }
    server.shutdown().await;
}
