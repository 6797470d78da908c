//! Both programs, on a Redis of the test's own.

use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex};

use asynq_testkit::{Child, RedisServer, eventually};
use axum::Json;
use axum::routing::post;
use image::{DynamicImage, ImageFormat};
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{outbox, serve};

/// The two programs, and how to talk to the one.
struct Service {
    web: Child,
    worker: Child,
    url: String,
    http: Client,
}

impl Service {
    async fn start(redis: &RedisServer, data: &Path, webhook: &str) -> Self {
        let program = |path: &str| {
            let mut command = Command::new(path);
            command
                .env("ASYNQ_REDIS_URL", redis.url())
                .env("SERVICE_DATA", data)
                .env("SERVICE_LISTEN", "127.0.0.1:0")
                .env("SERVICE_WEBHOOK", webhook);
            Child::spawn(&mut command)
        };
        let web = program(env!("CARGO_BIN_EXE_web"));
        let worker = program(env!("CARGO_BIN_EXE_worker"));
        let line = web.line("the address", |line| line.starts_with("listening on ")).await;
        let url = line.trim_start_matches("listening on ").to_owned();
        Self { web, worker, url, http: Client::new() }
    }

    async fn sign_up(&self, email: &str) -> StatusCode {
        let form = json!({ "email": email, "name": "Ann" });
        self.http.post(format!("{}/users", self.url)).json(&form).send().await.unwrap().status()
    }

    async fn upload(&self, file: Vec<u8>) -> String {
        let answer = self.http.post(format!("{}/images?width=16", self.url)).body(file).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let answer: Value = answer.json().await.unwrap();
        format!("{}/images/{}", self.url, answer["id"].as_str().unwrap())
    }

    async fn end(mut self) {
        for program in [&mut self.web, &mut self.worker] {
            program.signal("TERM");
            assert!(program.ended().await, "it shuts down in good order");
        }
    }
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(64, 32).write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[tokio::test]
async fn the_service_does_what_its_page_says() {
    let (redis, data) = (RedisServer::start().await, tempfile::tempdir().unwrap());
    let events: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&events);
    let receiver = post(move |Json(event): Json<Value>| {
        seen.lock().unwrap().push(event);
        std::future::ready(())
    });
    let (webhook, _receiver) = serve(axum::Router::new().route("/", receiver)).await;
    let service = Service::start(&redis, data.path(), &webhook).await;

    // Signing up twice is signing up once.
    assert_eq!(service.sign_up("ann@example.com").await, StatusCode::CREATED);
    assert_eq!(service.sign_up("ann@example.com").await, StatusCode::OK);
    assert_eq!(service.sign_up("nobody").await, StatusCode::UNPROCESSABLE_ENTITY);
    let mail = eventually("the welcome mail", async || outbox(data.path()).pop()).await;
    assert!(mail.contains("To: ann@example.com") && mail.contains("Hello Ann,"), "{mail}");
    let event = eventually("the webhook", async || events.lock().unwrap().first().cloned()).await;
    assert_eq!(event, json!({ "event": "user.created", "email": "ann@example.com" }));

    // A picture is made smaller, and keeps its form and its format.
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let small = service.http.get(service.upload(picture(format)).await).send().await.unwrap();
        assert_eq!(small.status(), StatusCode::OK);
        assert_eq!(small.headers()["content-type"], format.to_mime_type());
        let small = image::load_from_memory_with_format(&small.bytes().await.unwrap(), format).unwrap();
        assert_eq!((small.width(), small.height()), (16, 8));
    }
    let text = service.http.get(service.upload(b"no picture".to_vec()).await).send().await.unwrap();
    assert_eq!(text.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(text.text().await.unwrap(), "not a picture that can be read");

    // The report of today, now.
    let today = Timestamp::now().in_tz("Europe/Rome").unwrap().date();
    let report = format!("{}/reports/{today}", service.url);
    let answer = service.http.post(report).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let is_report = |mail: &String| mail.contains("To: operator@example.com");
    let mail = eventually("the report", async || outbox(data.path()).into_iter().find(is_report)).await;
    assert!(mail.contains("Ann <ann@example.com>"), "{mail}");

    service.end().await;
    assert_eq!((outbox(data.path()).len(), events.lock().unwrap().len()), (2, 1), "everything once");
}
