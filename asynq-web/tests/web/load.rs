//! Much of everything: no page holds Redis up, and many viewers cost it what one does.
//!
//! `cargo xtask web-load` runs it with 5,000 queues, a million pending tasks and 100,000 groups, and prints how long each
//! answer took.

use std::time::{Duration, Instant};

use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::RedisServer;
use asynq_web::{WebService, WebUi};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use tower::ServiceExt as _;

use crate::site::{ask, encoded};

/// How much there is.
struct Load {
    queues: usize,
    pending: usize,
    groups: usize,
    large: usize,
    /// How long an answer may take, where that is asked for.
    limit: Option<Duration>,
    /// How long a command may take Redis. Among other tests it shares two cores with them.
    command: Duration,
}

impl Load {
    fn wanted() -> Self {
        let is_full = std::env::var_os("ASYNQ_WEB_LOAD").is_some();
        if is_full {
            let limit = Some(Duration::from_secs(1));
            let command = Duration::from_millis(50);
            Self { queues: 5_000, pending: 1_000_000, groups: 100_000, large: 40, limit, command }
        } else {
            let command = Duration::from_millis(250);
            Self { queues: 250, pending: 20_000, groups: 2_000, large: 4, limit: None, command }
        }
    }
}

async fn get(service: &WebService, path: &str) -> (StatusCode, usize) {
    let request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
    let answer = ask(service, request).await;
    (answer.status, answer.body.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_quick_and_no_command_holds_redis_up() {
    let load = Load::wanted();
    let redis = RedisServer::start().await;
    redis.fill_queues(load.queues).await;
    redis.fill_pending("big", load.pending).await;
    redis.fill_groups("grouped", load.groups).await;
    let client = Client::connect(&redis.url()).await.unwrap();
    for n in 0..load.large {
        let payload = if n % 2 == 0 { vec![b'x'; 5 << 20] } else { vec![0xff; 5 << 20] };
        let options = TaskOptions::new().queue("large").task_id(format!("l{n}"));
        client.enqueue(Task::new("upload", payload).unwrap().options(options)).await.unwrap();
    }
    let service = WebUi::new(&client).service();
    redis.note_slow_commands(load.command).await;
    let mut slow = Vec::new();
    for path in [
        "/",
        "/?sort=size",
        "/?sort=latency&order=asc",
        "/?name=queue-00",
        "/queues/big",
        "/queues/big?state=pending",
        "/queues/big?state=pending&order=last",
        "/queues/big?state=pending&sort=type",
        "/queues/big?filter=payload.to%3Anobody",
        "/queues/big/tasks/t00000007",
        "/queues/grouped",
        "/queues/grouped?state=aggregating",
        "/queues/grouped?state=aggregating&group=group-t00000007",
        "/queues/grouped?state=aggregating&find=00000007",
        "/queues/large",
        "/queues/large?order=last",
        "/queues/large?filter=nothing",
        "/queues/large/tasks/l0",
        "/queues/large/tasks/l1",
        "/queues/large/tasks/l0/payload",
        "/tasks",
        "/tasks?filter=id%3At00000007",
        "/tasks?filter=error%3Atimeout",
        "/servers",
        "/schedules",
        "/redis",
        "/doctor",
        "/settings",
        "/api/v1/queues",
        "/api/v1/queues?name=queue-00&limit=100",
        "/api/v1/queues/big",
        "/api/v1/queues/grouped/groups",
        "/api/v1/tasks",
        "/api/v1/tasks?queue=big&state=pending&limit=1000",
        "/api/v1/tasks?queue=large",
        "/api/v1/tasks/large/l1",
        "/api/v1/doctor",
        "/api/v1/suggest?field=queue&prefix=queue-0",
        "/api/v1/suggest?field=type&queue=big",
    ] {
        let began = Instant::now();
        let (status, bytes) = get(&service, path).await;
        let took = began.elapsed();
        assert_eq!(status, StatusCode::OK, "{path}");
        println!("{:>6} ms {:>9} bytes  {path}", took.as_millis(), bytes);
        if load.limit.is_some_and(|limit| took > limit) {
            slow.push(path);
        }
    }
    let held = redis.slow_commands().await;
    assert!(held.is_empty(), "these took more than {:?}: {held:?}", load.command);
    assert!(slow.is_empty(), "these took more than a second: {slow:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_viewers_cost_redis_what_one_does() {
    let redis = RedisServer::start().await;
    redis.fill_pending("big", 100).await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let calls = async || {
        let info: String = redis.command(&["INFO", "stats"]).await;
        let line = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let mut cost = Vec::new();
    for viewers in [1, 50] {
        let service = WebUi::new(&client).refresh(Duration::from_millis(100)).service();
        let path = format!("/events?{}", encoded(&[("page", "/queues/big")]));
        let mut streams = Vec::new();
        for _ in 0..viewers {
            let request = Request::get(&path).header("host", "localhost").body(Body::empty()).unwrap();
            let response = service.clone().oneshot(request).await.unwrap();
            streams.push(response.into_body().into_data_stream());
        }
        let before = calls().await;
        for round in 0..5 {
            let options = TaskOptions::new().queue("big").task_id(format!("{viewers}-{round}"));
            client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
            for stream in &mut streams {
                assert!(stream.next().await.unwrap().unwrap().starts_with(b"event: page"));
            }
        }
        cost.push(calls().await - before);
    }
    assert!(cost[1] < cost[0] * 4, "one viewer cost {} calls, fifty {}", cost[0], cost[1]);
}
