//! Open pages are kept up to date: once for all who look, and not at all for nobody.

use std::time::Duration;

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
