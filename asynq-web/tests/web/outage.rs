//! Redis goes away while somebody looks, and comes back.

use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::{RedisServer, eventually};
use asynq_web::WebUi;
use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::site::ask;

#[tokio::test]
async fn every_page_says_that_redis_is_away_and_goes_on_when_it_is_back() {
    let mut redis = RedisServer::start_durable().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let options = TaskOptions::new().queue("mail").task_id("m1");
    client.enqueue(Task::new("t", "{}").unwrap().options(options)).await.unwrap();
    let service = WebUi::new(&client).service();
    let get = async |path: &str| {
        ask(&service, Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()).await
    };
    assert_eq!(get("/readyz").await.status, StatusCode::OK);
    assert!(get("/redis").await.text().contains("Fragmentation"));

    redis.kill().await;
    for path in [
        "/",
        "/queues/mail",
        "/queues/mail/tasks/m1",
        "/tasks",
        "/servers",
        "/schedules",
        "/redis",
        "/errors",
    ] {
        let page = get(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(
            page.text().contains("Redis is away") && page.text().contains("http-equiv=\"refresh\""),
            "{path}"
        );
    }
    assert_eq!(get("/api/v1/queues").await.json()["code"], "unavailable");
    assert_eq!(get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    for path in ["/healthz", "/settings", "/enqueue"] {
        assert_eq!(get(path).await.status, StatusCode::OK, "{path}");
    }

    redis.restart().await;
    eventually("Redis is back", async || (get("/").await.status == StatusCode::OK).then_some(())).await;
    assert!(get("/queues/mail").await.text().contains("m1"));
}
