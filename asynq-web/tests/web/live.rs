//! Open pages are kept up to date: once for all who look, and not at all for nobody.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::RedisServer;
use asynq_web::{Rights, Visitor, WebUi};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::{Stream, StreamExt as _};
use tower::ServiceExt as _;

use crate::site::{Site, encoded};

/// The events of a page, as they come.
async fn watch(site: &Site, page: &str) -> impl Stream<Item = String> + Unpin {
    let path = format!("/events?{}", encoded(&[("page", page)]));
    let request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
    let response = site.service.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let chunks = response.into_body().into_data_stream();
    Box::pin(chunks.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn what_changes_is_sent_to_all_who_look() {
    let site = Site::with(|ui| ui.refresh(Duration::from_secs(2)));
    site.seed().await;
    let mut viewers = Vec::new();
    for _ in 0..3 {
        viewers.push(watch(&site, "/queues/mail").await);
    }
    for viewer in &mut viewers {
        let event = viewer.next().await.unwrap();
        assert!(event.starts_with("event: page\ndata: \"") && event.contains("m1"), "{event}");
        assert!(!event.contains("<html"), "only the part that changes");
    }
    site.inspector.delete("mail", "m1").await.unwrap();
    for viewer in &mut viewers {
        assert!(!viewer.next().await.unwrap().contains(">m1<"));
    }
}

/// A watch costs the store; there are at most 200.
#[tokio::test(start_paused = true)]
async fn viewers_of_all_names_share_a_watch_if_they_may_see_the_same() {
    let site = Site::with(|ui| ui.refresh(Duration::from_secs(2)));
    site.seed().await;
    let mut viewers = Vec::new();
    let watched = async |name: String, rights: Rights| {
        let path = format!("/events?{}", encoded(&[("page", "/queues/mail")]));
        let mut request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
        request.extensions_mut().insert(Visitor::new(name, rights));
        site.service.clone().oneshot(request).await.unwrap()
    };
    for n in 0..300 {
        let response = watched(format!("viewer{n}"), Rights::viewer()).await;
        assert_eq!(response.status(), StatusCode::OK, "{n}");
        viewers.push(response.into_body().into_data_stream());
    }
    for viewer in &mut viewers {
        let event = String::from_utf8(viewer.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert!(event.contains("m1") && !event.contains("viewer"), "{event}");
    }
    // Who may see something else has a watch of their own.
    for n in 0..199 {
        let rights = Rights::viewer().in_queues(["mail".to_owned(), format!("q{n}")]);
        viewers.push(watched("ann".to_owned(), rights).await.into_body().into_data_stream());
    }
    let refused = watched("ann".to_owned(), Rights::admin()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// How many commands Redis has run until so many viewers have seen ten changes.
async fn cost_of(viewers: usize) -> u64 {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let enqueue = async |id: &str| {
        let options = TaskOptions::new().queue("mail").task_id(id);
        client.enqueue(Task::new("t", "{}").unwrap().options(options)).await.unwrap();
    };
    enqueue("first").await;
    let service = WebUi::new(&client).refresh(Duration::from_millis(200)).service();
    let mut streams = Vec::new();
    for n in 0..viewers {
        let path = format!("/events?{}", encoded(&[("page", "/queues/mail")]));
        let mut request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
        request.extensions_mut().insert(Visitor::new(format!("viewer{n}"), Rights::viewer()));
        streams.push(service.clone().oneshot(request).await.unwrap().into_body().into_data_stream());
    }
    let commands = async || {
        let stats: String = redis.command(&["INFO", "stats"]).await;
        let line = stats.lines().find_map(|line| line.strip_prefix("total_commands_processed:")).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    let before = commands().await;
    for n in 0..10 {
        let id = format!("change{n}");
        enqueue(&id).await;
        for stream in &mut streams {
            while !String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()).contains(&id) {}
        }
    }
    commands().await - before
}

#[tokio::test]
async fn fifty_viewers_with_names_cost_redis_what_one_does() {
    let (one, fifty) = (cost_of(1).await, cost_of(50).await);
    // How often it is looked until all have seen a change depends on the machine; each for himself it were 50 times.
    assert!(fifty < 5 * one, "{one} commands for one, {fifty} for fifty");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_change_is_not_sent() {
    let site = Site::with(|ui| ui.refresh(Duration::from_secs(2)));
    site.seed().await;
    let mut viewer = watch(&site, "/queues/mail?state=pending").await;
    assert!(viewer.next().await.unwrap().contains("event: page"));
    // The clock of the store stands still, so nothing changes: only the heartbeat comes.
    assert_eq!(viewer.next().await.unwrap(), ":\n\n");
}

#[tokio::test]
async fn only_pages_can_be_watched() {
    let site = Site::new();
    for page in [
        "",
        "nope",
        "//evil.example",
        "/events?page=%2F",
        "/api/v1/queues",
        "/assets/x",
        "http://evil.example/",
    ] {
        let answer = site.get(&format!("/events?{}", encoded(&[("page", page)]))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{page}");
    }
}

#[tokio::test]
async fn without_streams_a_page_can_be_asked_for_in_part() {
    let site = Site::seeded().await;
    let request = Request::get("/queues/mail").header("host", "localhost").header("x-fragment", "1");
    let part = site.ask(request.body(Body::empty()).unwrap()).await.text();
    assert!(part.contains("m1") && !part.contains("<html"), "{part}");
}
