//! `--compat-asynqmon`: every route of asynqmon, asked of the real asynqmon and of us on the same Redis, and compared field
//! by field. What changes something is asked of both for queues that hold the same.

use std::collections::BTreeSet;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::router::{Ctx, RetryPolicy, Router};
use asynq_core::scheduler::{PeriodicTask, Scheduler};
use asynq_core::server::Server;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::{Asynqmon, RedisServer, eventually};
use asynq_web::{Right, Rights, Visitor, WebUi};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::site::{Site, ask};

/// The real one and ours, on one Redis with tasks in every state, a server and a scheduler.
struct Pair {
    redis: RedisServer,
    real: Asynqmon,
    ours: asynq_web::WebService,
    /// What runs: dropped with the pair.
    _server: Server,
    scheduler: Scheduler,
}

impl Pair {
    async fn start() -> Self {
        let redis = RedisServer::start().await;
        let client = Client::connect(&redis.url()).await.unwrap();
        let inspector = Inspector::new(&client);
        let router = Router::new()
            .route("slow", async |_: Ctx| {
                pending::<()>().await;
                Ok::<_, String>(())
            })
            .and_then(|router| router.route("fails", async |_: Ctx| Err::<(), _>("no such user: ann")))
            .and_then(|router| router.route("gives", async |_: Ctx| Ok::<_, String>(42)))
            .unwrap();
        let server = Server::builder(&client).router(router).queues([("wa", 2), ("wb", 1)]).concurrency(4);
        let server = server.retry_policy(RetryPolicy::of(|_, _| Duration::from_secs(3_600)));
        let server = server.start().await.unwrap();
        for work in ["wa", "wb"] {
            // Servers tell of what they run by ID alone.
            let running = format!("s-{work}");
            for (task_type, id) in [
                ("slow", running.as_str()),
                ("fails", "f1"),
                ("fails", "f2"),
                ("fails", "f3"),
                ("gives", "g"),
            ] {
                let options =
                    TaskOptions::new().queue(work).task_id(id).retention(Duration::from_secs(3_600));
                let options = options.timeout(Duration::from_secs(3_600));
                client.enqueue(Task::new(task_type, "{}").unwrap().options(options)).await.unwrap();
            }
        }
        for queue in ["qa", "qb"] {
            fill(&client, &inspector, queue).await;
        }
        let scheduler = Scheduler::builder(&client).build().unwrap();
        for (spec, task_type) in [("@every 720h", "report"), ("0 9 * * mon", "cleanup")] {
            let task = PeriodicTask::new(spec, Task::new(task_type, r#"{"all":true}"#).unwrap());
            scheduler.register(task.options(|options| options.queue("low").max_retry(3))).unwrap();
        }
        scheduler.start().unwrap();
        eventually("everything is there", async || {
            let work = inspector.queue_info("wb").await.unwrap();
            let servers = inspector.servers().await.unwrap();
            let entries = inspector.scheduler_entries().await.unwrap();
            let is_run = servers.first().is_some_and(|server| server.running.len() == 2);
            let is_there = (work.active, work.retry, work.completed, entries.len()) == (1, 3, 1, 2) && is_run;
            is_there.then_some(())
        })
        .await;
        let real = Asynqmon::start(&redis.url(), false).await;
        let ours = WebUi::new(&client).compat_asynqmon().service();
        Self { redis, real, ours, _server: server, scheduler }
    }

    /// Asks both: the real one for what stands in `qa` and `wa`, ours for the same in `qb` and `wb` if something changes.
    async fn compare(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let sent = body.as_ref().map(ToString::to_string).unwrap_or_default();
        let (status, theirs) = by_socket(self.real.address(), method, path, &sent).await;
        let changes = method != "GET";
        let other =
            |text: &str| if changes { text.replace("qa", "qb").replace("wa", "wb") } else { text.to_owned() };
        let request = Request::builder().method(method).uri(other(path)).header("host", "localhost");
        let answer = ask(&self.ours, request.body(Body::from(other(&sent))).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {theirs} and {}", answer.text());
        if status >= 300 {
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8", "{path}");
            return (status, Value::Null);
        }
        let (mut theirs, mut ours) = (read(&theirs), read(&answer.text()));
        if changes {
            ours = read(&ours.to_string().replace("qb", "qa").replace("wb", "wa"));
        }
        for value in [&mut theirs, &mut ours] {
            forget_what_passes(value);
        }
        assert_eq!(ours, theirs, "{method} {path}");
        (status, ours)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.compare("GET", path, None).await;
        assert_eq!(status, 200, "{path}");
        value
    }

    /// Something that both do.
    async fn done(&self, method: &str, path: &str) -> Value {
        let (status, value) = self.compare(method, path, None).await;
        assert!(status < 300, "{method} {path}: {status}");
        value
    }
}

/// Tasks in every state that needs no worker.
async fn fill(client: &Client, inspector: &Inspector, queue: &str) {
    let enqueue = async |id: &str, payload: &[u8], set: fn(TaskOptions) -> TaskOptions| {
        let options = set(TaskOptions::new().queue(queue).task_id(id).max_retry(7));
        client.enqueue(Task::new("t", payload.to_vec()).unwrap().options(options)).await.unwrap();
    };
    for id in ["p1", "p2", "p3", "p4", "p5", "p6"] {
        enqueue(id, br#"{"to":"ann"}"#, |options| options).await;
    }
    for id in ["s1", "s2", "s3", "s4", "s5", "s6", "s7"] {
        enqueue(id, &[0xff, 0], |options| options.process_in(Duration::from_secs(7_200))).await;
    }
    for id in ["a1", "a2", "a3", "a4", "a5", "a6"] {
        enqueue(id, b"", |options| options).await;
        inspector.archive(queue, id).await.unwrap();
    }
    for id in ["g1", "g2", "g3", "g4", "g5", "g6", "g7"] {
        enqueue(id, b"text", |options| options.group("users")).await;
    }
}

async fn by_socket(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address.parse::<SocketAddr>().unwrap()).await.unwrap();
    // In HTTP/1.0 a body comes in one piece.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn read(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// What is another at each look, or is estimated from a sample, is only asked to be of the same kind; times are compared to
/// the second, whatever their zone.
fn forget_what_passes(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_pending = fields.get("state").is_some_and(|state| state == "pending");
            for (name, value) in fields.iter_mut() {
                match (name.as_str(), &mut *value) {
                    // A pending task is due at the moment that it is asked for.
                    ("next_process_at", Value::String(text)) if is_pending => {
                        let at = text.parse::<jiff::Timestamp>().unwrap();
                        let ago = jiff::Timestamp::now().as_second() - at.as_second();
                        assert!((0..60).contains(&ago), "{text}");
                        "now".clone_into(text);
                    }
                    ("timestamp" | "display_latency", Value::String(text)) => "some".clone_into(text),
                    ("memory_usage_bytes" | "latency_msec", Value::Number(_)) => *value = json!("some"),
                    // It may be another second by then.
                    ("ttl_seconds", Value::Number(seconds)) if seconds.as_i64() != Some(0) => {
                        *value = json!("some");
                    }
                    (_, Value::String(text)) => {
                        if let Ok(at) = text.parse::<jiff::Timestamp>() {
                            *text = at.as_second().to_string();
                        }
                    }
                    (name, value) => {
                        forget_what_passes(value);
                        // Theirs come in the order of a set.
                        if let (true, Value::Array(items)) =
                            (["queues", "entries", "active_workers"].contains(&name), value)
                        {
                            items.sort_by_key(ToString::to_string);
                        }
                    }
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forget_what_passes),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_looked_at() {
    let pair = Pair::start().await;
    let queues = pair.get("/api/queues").await;
    assert_eq!(queues["queues"].as_array().unwrap().len(), 4);
    for path in [
        "/api/queues/qa",
        "/api/queue_stats",
        "/api/queues/wa/active_tasks",
        "/api/queues/qa/pending_tasks",
        "/api/queues/qa/pending_tasks?size=2&page=2",
        "/api/queues/qa/pending_tasks?size=odd&page=odd",
        "/api/queues/qa/scheduled_tasks",
        "/api/queues/wa/retry_tasks",
        "/api/queues/qa/archived_tasks",
        "/api/queues/wa/completed_tasks",
        "/api/queues/qa/completed_tasks",
        "/api/queues/qa/groups",
        "/api/queues/qa/groups/users/aggregating_tasks",
        "/api/queues/qa/groups/nobody/aggregating_tasks",
        "/api/queues/qa/tasks/p1",
        "/api/queues/qa/tasks/s1",
        "/api/queues/qa/tasks/a1",
        "/api/queues/wa/tasks/f1",
        "/api/queues/wa/tasks/g",
        "/api/queues/wa/tasks/s-wa",
        "/api/servers",
        "/api/scheduler_entries",
        "/api/scheduler_entries/nope/enqueue_events",
    ] {
        pair.get(path).await;
    }
    let entries = pair.get("/api/scheduler_entries").await;
    let entry = entries["entries"][0]["id"].as_str().unwrap();
    pair.get(&format!("/api/scheduler_entries/{entry}/enqueue_events")).await;
    for (path, expected) in [
        ("/api/queues/nope", 500),
        ("/api/queues/nope/pending_tasks", 500),
        ("/api/queues/nope/groups", 500),
        ("/api/queues/nope/tasks/t", 404),
        ("/api/queues/qa/tasks/nope", 404),
    ] {
        assert_eq!(pair.compare("GET", path, None).await.0, expected, "{path}");
    }
    pair.scheduler.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_tells_the_same() {
    let pair = Pair::start().await;
    let (_, theirs) = by_socket(pair.real.address(), "GET", "/api/redis_info", "").await;
    let request = Request::get("/api/redis_info").header("host", "localhost").body(Body::empty()).unwrap();
    let (theirs, ours) = (read(&theirs), ask(&pair.ours, request).await.json());
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&ours), names(&theirs));
    // What counts its own connection differs; each of their facts is one of ours.
    assert!(names(&theirs["info"]).is_subset(&names(&ours["info"])));
    assert_eq!((&ours["cluster"], &ours["queue_locations"]), (&json!(false), &Value::Null));
    assert!(ours["address"].as_str().unwrap().contains(&pair.redis.port().to_string()));
    pair.scheduler.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_something() {
    let pair = Pair::start().await;
    for (path, status) in [(":pause", 204), (":pause", 500), (":resume", 204), (":resume", 500)] {
        assert_eq!(pair.compare("POST", &format!("/api/queues/qa{path}"), None).await.0, status, "{path}");
    }
    let one = [
        ("DELETE", "/api/queues/qa/pending_tasks/p1"),
        ("POST", "/api/queues/qa/pending_tasks/p2:archive"),
        ("DELETE", "/api/queues/qa/scheduled_tasks/s1"),
        ("POST", "/api/queues/qa/scheduled_tasks/s2:run"),
        ("POST", "/api/queues/qa/scheduled_tasks/s3:archive"),
        ("DELETE", "/api/queues/wa/retry_tasks/f1"),
        ("POST", "/api/queues/qa/archived_tasks/a1:run"),
        ("DELETE", "/api/queues/qa/archived_tasks/a2"),
        ("DELETE", "/api/queues/wa/completed_tasks/g"),
        ("POST", "/api/queues/qa/groups/users/aggregating_tasks/g1:run"),
        ("POST", "/api/queues/qa/groups/users/aggregating_tasks/g2:archive"),
        ("DELETE", "/api/queues/qa/groups/users/aggregating_tasks/g3"),
        // The state in the address is not looked at.
        ("POST", "/api/queues/qa/retry_tasks/a3:run"),
    ];
    for (method, path) in one {
        pair.done(method, path).await;
        // Once more, it is not there, or not in that state.
        let again = pair.compare(method, path, None).await.0;
        assert_eq!(again, 500, "{method} {path}");
    }
    for id in ["s-wa", "nope"] {
        pair.done("POST", &format!("/api/queues/wa/active_tasks/{id}:cancel")).await;
    }
    let batch = async |path: &str, ids: Value| {
        let (status, value) = pair.compare("POST", path, Some(json!({ "task_ids": ids }))).await;
        assert_eq!(status, 200, "{path}");
        value
    };
    let deleted = batch("/api/queues/qa/pending_tasks:batch_delete", json!(["p3", "nope", "p4"])).await;
    assert_eq!(deleted, json!({"deleted_ids": ["p3", "p4"], "failed_ids": ["nope"]}));
    let archived = batch("/api/queues/qa/pending_tasks:batch_archive", json!(["p5", "nope"])).await;
    assert_eq!(archived, json!({"archived_ids": ["p5"], "error_ids": ["nope"]}));
    let run = batch("/api/queues/qa/scheduled_tasks:batch_run", json!(["s4", "p6"])).await;
    assert_eq!(run, json!({"pending_ids": ["s4"], "error_ids": ["p6"]}));
    let cancelled = batch("/api/queues/wa/active_tasks:batch_cancel", json!(["s-wa", "nope"])).await;
    assert_eq!(cancelled, json!({"canceled_ids": ["s-wa", "nope"], "error_ids": []}));
    batch("/api/queues/qa/pending_tasks:batch_delete", json!([])).await;
    for (path, body) in [
        ("/api/queues/qa/pending_tasks:batch_delete", json!({"ids": ["p6"]})),
        ("/api/queues/qa/pending_tasks:batch_archive", json!({"task_ids": "p6"})),
        ("/api/queues/qa/scheduled_tasks:batch_run", json!(["s5"])),
        ("/api/queues/wa/active_tasks:batch_cancel", json!({"task_ids": ["x".repeat(1_000_001)]})),
    ] {
        assert_eq!(pair.compare("POST", path, Some(body)).await.0, 400, "{path}");
    }
    assert_eq!(pair.done("POST", "/api/queues/qa/scheduled_tasks:archive_all").await["archived"], 3);
    assert_eq!(pair.done("POST", "/api/queues/qa/archived_tasks:run_all").await["scheduled"], 10);
    assert_eq!(pair.done("POST", "/api/queues/wa/retry_tasks:archive_all").await["archived"], 2);
    for path in [
        "/api/queues/qa/scheduled_tasks:run_all",
        "/api/queues/wa/retry_tasks:run_all",
        "/api/queues/qa/pending_tasks:archive_all",
        "/api/queues/qa/groups/users/aggregating_tasks:archive_all",
        "/api/queues/qa/groups/users/aggregating_tasks:run_all",
        "/api/queues/wa/active_tasks:cancel_all",
    ] {
        pair.done("POST", path).await;
    }
    for state in ["pending", "scheduled", "retry", "archived", "completed", "groups/users/aggregating"] {
        pair.done("DELETE", &format!("/api/queues/qa/{state}_tasks:delete_all")).await;
    }
    for path in ["/api/queues/nope/retry_tasks:run_all", "/api/queues/nope/pending_tasks:archive_all"] {
        assert_eq!(pair.compare("POST", path, None).await.0, 500, "{path}");
    }
    assert_eq!(pair.compare("DELETE", "/api/queues/wa", None).await.0, 400, "it is not empty");
    assert_eq!(pair.compare("DELETE", "/api/queues/nope", None).await.0, 404);
    pair.done("DELETE", "/api/queues/qa").await;
    pair.scheduler.shutdown().await;
}

#[tokio::test]
async fn who_may_only_look_is_refused_as_in_read_only_mode() {
    let redis = RedisServer::start().await;
    let real = Asynqmon::start(&redis.url(), true).await;
    let (status, text) = by_socket(real.address(), "POST", "/api/queues/mail:pause", "").await;
    let site = Site::with(|ui| ui.rights(Rights::viewer()).compat_asynqmon());
    site.seed().await;
    let ours = site.send("/api/queues/mail:pause", &[]).await;
    assert_eq!((ours.status.as_u16(), ours.text()), (status, text));
    assert!(!site.inspector.queue_info("mail").await.unwrap().is_paused());
}

#[tokio::test]
async fn rights_and_origins_are_looked_at_and_our_own_api_stays() {
    let site = Site::with(WebUi::compat_asynqmon);
    site.seed().await;
    let asked = async |method: &str, path: &str, rights: Rights, origin: Option<&str>| {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Visitor::new("ann", rights));
        ask(&site.service, request).await
    };
    for (method, path, right) in [
        ("GET", "/api/queues", Right::View),
        ("GET", "/api/queues/mail/pending_tasks", Right::View),
        ("GET", "/api/queues/mail/tasks/m1", Right::View),
        ("GET", "/api/servers", Right::View),
        ("GET", "/api/redis_info", Right::View),
        ("POST", "/api/queues/mail:pause", Right::Pause),
        ("DELETE", "/api/queues/mail", Right::DeleteQueue),
        ("DELETE", "/api/queues/mail/pending_tasks/m1", Right::Delete),
        ("POST", "/api/queues/mail/pending_tasks/m1:archive", Right::Archive),
        ("POST", "/api/queues/mail/archived_tasks:run_all", Right::Run),
        ("POST", "/api/queues/mail/active_tasks:cancel_all", Right::Cancel),
    ] {
        let refused = asked(method, path, Rights::admin().without(right), None).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}");
        let elsewhere = asked(method, path, Rights::admin().in_queues(["other"]), None).await;
        let is_of_all = ["/api/queues", "/api/servers", "/api/redis_info"].contains(&path);
        assert_eq!(elsewhere.status == StatusCode::FORBIDDEN, !is_of_all, "{method} {path}");
    }
    let hidden = asked("GET", "/api/queues", Rights::admin().in_queues(["other"]), None).await;
    assert_eq!(hidden.json(), json!({"queues": []}));
    let blind =
        asked("GET", "/api/queues/mail/tasks/m1", Rights::viewer().without(Right::ViewPayload), None).await;
    assert_eq!(blind.json()["payload"], "");
    let foreign = asked("POST", "/api/queues/mail:pause", Rights::admin(), Some("http://evil.example")).await;
    assert_eq!((foreign.status, &foreign.json()["code"]), (StatusCode::FORBIDDEN, &json!("foreign_origin")));
    assert!(!site.inspector.queue_info("mail").await.unwrap().is_paused());
    for (path, status) in
        [("/api/nope", 404), ("/api/v1/nope", 404), ("/api/v1/queues", 200), ("/api/metrics", 500)]
    {
        assert_eq!(site.get(path).await.status.as_u16(), status, "{path}");
    }
    assert_eq!(Site::new().get("/api/queues").await.status, StatusCode::NOT_FOUND, "only where it is wanted");
}

#[tokio::test]
async fn a_right_in_one_queue_cancels_nothing_of_another() {
    let site = Site::seeded().await;
    site.enqueue("other", "o1", "{}", |options| options).await;
    let key = crate::site::key("other", "m1");
    let page = site.send("/tasks/act", &[("action", "cancel"), ("task", &key)]).await;
    assert!(site.page(page.leads_to()).await.contains("task not found"));
}
