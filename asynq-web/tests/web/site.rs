//! [`Site`]: a Web UI on a store in memory, and how it is asked.

use std::sync::Arc;
use std::time::Duration;

use asynq_core::broker::MemoryBroker;
use asynq_core::client::Client;
use asynq_core::clock::Clock;
use asynq_core::inspector::{Inspector, ScheduledEntry};
use asynq_core::scheduler::{PeriodicTask, Scheduler};
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::eventually;
use asynq_web::{Rights, Visitor, WebService, WebUi};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

/// A name with all that can go wrong in an address.
pub(crate) const ODD: &str = "a/b?c=d&e #%2F é😀'\"<b>";

/// When tests begin.
const NOON: &str = "2033-05-18T12:00:00Z";

/// A Web UI on a store in memory.
pub(crate) struct Site {
    pub(crate) client: Client,
    pub(crate) inspector: Inspector,
    pub(crate) service: WebService,
    pub(crate) clock: Clock,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|ui| ui)
    }

    pub(crate) fn with(set: impl FnOnce(WebUi) -> WebUi) -> Self {
        Self::at(Clock::manual(NOON.parse().unwrap()), set)
    }

    /// One whose time passes as tokio's does; from noon on.
    pub(crate) fn in_time(set: impl FnOnce(WebUi) -> WebUi) -> Self {
        Self::at(Clock::with_tokio_time(NOON.parse().unwrap()), set)
    }

    fn at(clock: Clock, set: impl FnOnce(WebUi) -> WebUi) -> Self {
        let client = Client::new(Arc::new(MemoryBroker::new(clock.clone())));
        let service = set(WebUi::new(&client)).service();
        Self { inspector: Inspector::new(&client), client, service, clock }
    }

    /// One with tasks in several queues and states.
    pub(crate) async fn seeded() -> Self {
        let site = Self::new();
        site.seed().await;
        site
    }

    pub(crate) async fn seed(&self) {
        self.enqueue("mail", "m1", r#"{"to":"ann","n":12345678901234567890}"#, |o| o).await;
        self.enqueue("mail", "m2", r#"{"to":"bob"}"#, |o| o.header("tenant", "acme").max_retry(3)).await;
        self.enqueue("mail", "later", "{}", |o| o.process_in(Duration::from_secs(3_600))).await;
        self.enqueue("mail", "gone", "{}", |o| o).await;
        self.enqueue("mail", "g1", "1", |o| o.group("user-7")).await;
        self.enqueue(ODD, ODD, "plain", |o| o).await;
        self.inspector.archive("mail", "gone").await.unwrap();
    }

    pub(crate) async fn enqueue(
        &self,
        queue: &str,
        id: &str,
        payload: impl Into<Vec<u8>>,
        set: impl FnOnce(TaskOptions) -> TaskOptions,
    ) {
        let options = set(TaskOptions::new().queue(queue).task_id(id));
        self.client.enqueue(Task::new("email:send", payload.into()).unwrap().options(options)).await.unwrap();
    }

    /// Has a scheduler enqueue this task by this line: it, which must be kept, and its entry.
    pub(crate) async fn scheduled(&self, spec: &str, task: Task) -> (Scheduler, ScheduledEntry) {
        let scheduler = Scheduler::builder(&self.client).build().unwrap();
        scheduler.register(PeriodicTask::new(spec, task)).unwrap();
        scheduler.start().unwrap();
        let told = async || self.inspector.scheduler_entries().await.unwrap().pop();
        (scheduler, eventually("the schedule is told", told).await)
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        ask(&self.service, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()).await
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.text()
    }

    /// Sends a form, as a browser does.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header("host", "localhost")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.ask(request.body(encoded(fields).into()).unwrap()).await
    }

    pub(crate) async fn state(&self, queue: &str, id: &str) -> String {
        match self.inspector.task(queue, id).await {
            Ok(task) => task.info.state.to_string(),
            Err(_) => "gone".to_owned(),
        }
    }
}

/// Asks as somebody with these rights, with a form or, of the API, with JSON.
pub(crate) async fn as_somebody(site: &Site, rights: Rights, method: &str, path: &str, body: &str) -> Answer {
    let kind =
        if path.starts_with("/api") { "application/json" } else { "application/x-www-form-urlencoded" };
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request =
        Request::builder().method(method).uri(path).header("host", "localhost").header("content-type", kind);
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(Visitor::new("ann", rights));
    ask(&site.service, request).await
}

pub(crate) async fn ask(service: &WebService, request: Request<Body>) -> Answer {
    let (parts, body) = service.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Where it leads to.
    pub(crate) fn leads_to(&self) -> &str {
        assert!(self.status.is_redirection(), "{}: {}", self.status, self.text());
        self.header("location")
    }
}

/// As forms are sent.
pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", segment(name), segment(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A name in an address, as our own links have it.
pub(crate) fn segment(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// As a page names a task.
pub(crate) fn key(queue: &str, id: &str) -> String {
    format!("{}.{queue}{id}", queue.len())
}
