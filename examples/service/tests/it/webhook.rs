//! Webhooks: receivers that fail, refuse, or ask for time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::testing::{Report, Rig};
use axum::Router;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;
use service::jobs::{DeliverWebhook, worker};

use crate::support::{serve, settings};

const DAY: Duration = Duration::from_secs(86_400);

/// Who is told of events.
#[derive(Default)]
struct Receiver {
    /// How it is going to answer; after how many seconds it wants to be asked again.
    answers: VecDeque<(StatusCode, Option<u32>)>,
    /// The IDs of the events that it was told.
    told: Vec<String>,
}

type Shared = Arc<Mutex<Receiver>>;

async fn receive(State(receiver): State<Shared>, headers: HeaderMap) -> (StatusCode, HeaderMap) {
    let mut receiver = receiver.lock().unwrap();
    receiver.told.push(headers["webhook-id"].to_str().unwrap().to_owned());
    let (status, wait) = receiver.answers.pop_front().unwrap();
    (status, wait.map(|seconds| (RETRY_AFTER, seconds.into())).into_iter().collect())
}

/// Delivers one event to a receiver that answers like this: what ran, and the IDs that the receiver was told.
async fn deliver(answers: &[(StatusCode, Option<u32>)]) -> (Report, Vec<String>) {
    let shared = Shared::default();
    shared.lock().unwrap().answers.extend(answers);
    let app = Router::new().route("/", post(receive)).with_state(Arc::clone(&shared));
    let (url, _receiver) = serve(app).await;
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::new().server(|server| worker(server, &settings(&data)).unwrap());
    DeliverWebhook::new(url, "event-1", json!({ "event": "test" })).enqueue(&rig).await.unwrap();
    let report = rig.advance(DAY).await;
    let told = shared.lock().unwrap().told.clone();
    (report, told)
}

#[tokio::test]
async fn a_receiver_that_fails_twice_is_asked_a_third_time() {
    let fails = (StatusCode::INTERNAL_SERVER_ERROR, None);
    let (report, told) = deliver(&[fails, fails, (StatusCode::OK, None)]).await;
    assert_eq!((report.retried(), report.succeeded()), (2, 1), "{report}");
    assert_eq!(told, ["event-1"; 3]);
}

#[tokio::test]
async fn a_receiver_that_refuses_is_not_asked_again() {
    let (report, told) = deliver(&[(StatusCode::GONE, None)]).await;
    assert_eq!((report.archived(), report.len(), told.len()), (1, 1, 1), "{report}");
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_given_it() {
    let (report, _) = deliver(&[(StatusCode::TOO_MANY_REQUESTS, Some(600)), (StatusCode::OK, None)]).await;
    let [first, second] = report.attempts() else { panic!("{report}") };
    assert_eq!(second.at.as_second() - first.at.as_second(), 600, "{report}");
}

#[tokio::test]
async fn nobody_at_all_is_asked_until_the_retries_are_used_up() {
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::new().server(|server| worker(server, &settings(&data)).unwrap());
    DeliverWebhook::new("http://127.0.0.1:1/", "event-1", json!({})).enqueue(&rig).await.unwrap();
    let report = rig.advance(DAY).await;
    assert_eq!((report.retried(), report.archived()), (12, 1), "{report}");
}
