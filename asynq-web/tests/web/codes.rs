//! Every code by which programs tell problems apart, each met in an answer: a code without a case here fails.

use asynq_core::broker::{Demand, GroupRule, QueueShare, SetName, TIMETABLE_LIMIT};
use asynq_core::client::Client;
use asynq_core::task::{QueueName, Task};
use asynq_core::wire::TaskMessage;
use asynq_testkit::RedisServer;
use asynq_web::{Rights, WebService, WebUi};
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::site::{Answer, Site, ask};

/// Those that are no code of an answer, or are met where people log in and in how they ask: login.rs, gate.rs.
const ELSEWHERE: [&str; 5] =
    ["task_staged", "untrusted_proxy", "unknown_user", "too_many_attempts", "too_many_requests"];

/// A request to the API, with JSON where there is any.
async fn send(service: &WebService, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request =
        Request::builder().method(method).uri(format!("/api/v1{path}")).header("host", "localhost");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let sent = body.as_ref().map(ToString::to_string).unwrap_or_default();
    ask(service, request.body(Body::from(sent)).unwrap()).await
}

/// An answer with this code.
async fn provoked(code: &str) -> Answer {
    let site = Site::seeded().await;
    let get = async |path: &str| send(&site.service, "GET", path, None).await;
    let sent =
        async |method: &str, path: &str, body: Value| send(&site.service, method, path, Some(body)).await;
    let bare = async |name: &'static str, value: &'static str| {
        let request = Request::post("/api/v1/tasks").header("host", "localhost").header(name, value);
        site.ask(request.body(Body::from("{}")).unwrap()).await
    };
    match code {
        "invalid" => get("/tasks?limit=0").await,
        "invalid_filter" => get("/tasks?filter=tipe%3Ax").await,
        "not_confirmed" => send(&site.service, "DELETE", "/queues/mail", None).await,
        "unauthenticated" => Site::with(WebUi::logins_only).get("/api/v1/meta").await,
        "forbidden" => {
            let viewer = Site::with(|ui| ui.rights(Rights::viewer()));
            send(&viewer.service, "POST", "/tasks", Some(json!({"type": "t"}))).await
        }
        "foreign_origin" => bare("origin", "http://evil.example").await,
        "not_found" => get("/nope").await,
        "queue_not_found" => get("/queues/nope").await,
        "task_not_found" => get("/tasks/mail/nope").await,
        "entry_not_found" => get("/schedules/nope").await,
        "not_managed"
        | "schedule_exists"
        | "schedule_changed"
        | "unreadable_schedule"
        | "too_many_schedules" => of_schedules(&site, code).await,
        "run_not_found" => get("/runs/nope").await,
        "method_not_allowed" => send(&site.service, "POST", "/queues", None).await,
        "queue_not_empty" => send(&site.service, "DELETE", "/queues/mail?confirm=mail", None).await,
        "queue_busy" => {
            let demand = Demand {
                server_id: "s".to_owned(),
                slots: 1,
                queues: vec![QueueShare::new(QueueName::new("mail").unwrap(), 1)],
                types: Vec::new(),
                strict: true,
                pending_since: false,
            };
            site.client.broker().exchange(&[], &demand).await.unwrap();
            send(&site.service, "DELETE", "/queues/mail?confirm=mail&force=1", None).await
        }
        "wrong_state" => sent("PATCH", "/tasks/mail/g1", json!({"max_retry": 1})).await,
        "task_changed" => {
            sent(
                "PATCH",
                "/tasks/mail/m1",
                json!({"only_if_payload": {"text": "odd"}, "payload": {"text": "x"}}),
            )
            .await
        }
        "task_id_conflict" => sent("POST", "/tasks", json!({"queue": "mail", "type": "t", "id": "m1"})).await,
        "duplicate_task" => {
            let unique = json!({"type": "once", "unique_ms": 60_000});
            sent("POST", "/tasks", unique.clone()).await;
            sent("POST", "/tasks", unique).await
        }
        "too_large" => sent("POST", "/tasks", json!({"type": "x".repeat(33 << 20)})).await,
        "unsupported_media_type" => bare("content-type", "text/plain").await,
        "unknown_host" => {
            let request = Request::get("/api/v1/meta").header("host", "evil.example").body(Body::empty());
            site.ask(request.unwrap()).await
        }
        "prometheus_failed" => {
            let away = Site::with(|ui| ui.prometheus("http://127.0.0.1:1").unwrap());
            send(&away.service, "GET", "/series?metric=size&source=prometheus", None).await
        }
        "too_many" => {
            let path = "/doctor/examinations";
            let examine = || send(&site.service, "POST", path, None);
            let (_, second) = tokio::join!(examine(), examine());
            second
        }
        "unreadable_task" | "not_stored" | "failed" | "unavailable" => of_redis(code).await,
        other => panic!("`{other}` has no case here"),
    }
}

/// What schedules give.
async fn of_schedules(site: &Site, code: &str) -> Answer {
    let get = async |path: &str| send(&site.service, "GET", path, None).await;
    let sent =
        async |method: &str, path: &str, body: Value| send(&site.service, method, path, Some(body)).await;
    match code {
        "not_managed" => {
            let (scheduler, entry) = site.scheduled("@every 10m", Task::new("t", "").unwrap()).await;
            let answer = send(&site.service, "DELETE", &format!("/schedules/{}", entry.id), None).await;
            scheduler.shutdown().await;
            answer
        }
        "schedule_exists" => {
            let new = json!({"name": "a", "spec": "@daily", "type": "t"});
            sent("POST", "/schedules", new.clone()).await;
            sent("POST", "/schedules", new).await
        }
        "schedule_changed" => {
            let new = json!({"name": "a", "spec": "@daily", "type": "t"});
            let id = sent("POST", "/schedules", new).await.json()["id"].as_str().unwrap().to_owned();
            sent("PATCH", &format!("/schedules/{id}"), json!({"revision": "0", "spec": "@hourly"})).await
        }
        "unreadable_schedule" => {
            let odd = Bytes::from("{}");
            site.client.broker().change_timetable("odd", None, Some(&odd)).await.unwrap();
            let all = get("/schedules").await.json();
            get(&format!("/schedules/{}", all["unreadable"][0]["id"].as_str().unwrap())).await
        }
        "too_many_schedules" => {
            let odd = Bytes::from("{}");
            for n in 0..TIMETABLE_LIMIT {
                site.client.broker().change_timetable(&n.to_string(), None, Some(&odd)).await.unwrap();
            }
            sent("POST", "/schedules", json!({"name": "a", "spec": "@daily", "type": "t"})).await
        }
        other => panic!("`{other}` has no case here"),
    }
}

/// What only a real store can do.
async fn of_redis(code: &str) -> Answer {
    let mut redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let service = WebUi::new(&client).service();
    match code {
        "unreadable_task" => {
            send(&service, "POST", "/tasks", Some(json!({"type": "t", "id": "a"}))).await;
            redis.command::<()>(&["HSET", "asynq:{default}:t:a", "msg", "odd"]).await;
            send(&service, "GET", "/tasks/default/a", None).await
        }
        "not_stored" => {
            // Layers around the payload that nobody here can make.
            let stored = TaskMessage {
                task_type: "t".to_owned(),
                id: "a".to_owned(),
                queue: "default".to_owned(),
                headers: [("asynq-layers".to_owned(), "odd".to_owned())].into_iter().collect(),
                ..TaskMessage::default()
            };
            send(&service, "POST", "/tasks", Some(json!({"type": "t", "id": "a"}))).await;
            let message = String::from_utf8(stored.encode()).unwrap();
            redis.command::<()>(&["HSET", "asynq:{default}:t:a", "msg", &message]).await;
            send(&service, "PATCH", "/tasks/default/a", Some(json!({"payload": {"text": "y"}}))).await
        }
        "failed" => {
            redis.command::<()>(&["SET", "asynq:queues", "odd"]).await;
            send(&service, "GET", "/queues", None).await
        }
        _ => {
            redis.kill().await;
            send(&service, "GET", "/queues", None).await
        }
    }
}

/// What no route answers with: it is told of single tasks, among the failures of a change to many.
#[tokio::test]
async fn a_task_that_is_being_aggregated_is_a_failure_of_the_change() {
    let site = Site::seeded().await;
    let queue = QueueName::new("mail").unwrap();
    let rule = GroupRule { max_size: Some(1), max_delay: None, grace: 0 };
    let is_staged = site.client.broker().stage_group(&queue, &SetName::new("user-7"), &rule).await;
    assert!(is_staged.unwrap());
    let action = json!({"action": "delete", "tasks": [{"queue": "mail", "id": "g1"}]});
    let run = send(&site.service, "POST", "/tasks/actions", Some(action)).await.json();
    assert!(run["failures"][0]["reason"].as_str().unwrap().contains("aggregat"), "{run}");
}

#[tokio::test]
async fn every_code_is_met_with_its_status() {
    // The table in the source, line by line.
    let source = include_str!("../../src/problem.rs");
    let table = source.split("CODES").nth(1).unwrap().split("];").next().unwrap();
    let codes: Vec<&str> =
        table.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next()).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes.into_iter().filter(|code| !ELSEWHERE.contains(code)) {
        let answer = provoked(code).await;
        let problem = answer.json();
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!(code), &json!(answer.status.as_u16())),
            "{problem}"
        );
        assert_eq!(answer.header("content-type"), "application/problem+json", "{code}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{code}");
    }
}
