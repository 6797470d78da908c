//! The charts of asynqmon, from a Prometheus: a real one, and one that says what the test wants.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use asynq_metrics::Exporter;
use asynq_testkit::eventually;
use asynq_web::{Rights, WebUi};
use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::site::{Site, ask, segment};

/// Serves this on a port of its own, for as long as what it gives lives.
async fn serve(router: Router) -> (JoinSet<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (serving, address)
}

/// What was asked.
type Asked = Arc<Mutex<Vec<BTreeMap<String, String>>>>;

/// A Prometheus that answers as the real one does: of `mail`, and to `memory` with a reason why not.
async fn answers(
    State(asked): State<Asked>,
    Form(form): Form<BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let query = form["query"].clone();
    let start: f64 = form["start"].parse().unwrap();
    asked.lock().unwrap().push(form);
    if query.contains("memory") {
        let reason = json!({"status": "error", "errorType": "execution", "error": "too many <samples>"});
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(reason));
    }
    let values = json!([[start, "1"], [start + 60.0, "NaN"], [start + 120.0, "7"]]);
    let result = json!([{"metric": {"queue": "mail", "job": "x"}, "values": values}]);
    (StatusCode::OK, Json(json!({"status": "success", "data": {"resultType": "matrix", "result": result}})))
}

async fn told() -> (JoinSet<()>, String, Asked) {
    let asked = Asked::default();
    let router =
        Router::new().route("/prom/api/v1/query_range", post(answers)).with_state(Arc::clone(&asked));
    let (serving, address) = serve(router).await;
    (serving, format!("http://ann:secret@{address}/prom/"), asked)
}

#[tokio::test]
async fn nine_charts_are_asked_for_and_an_error_stands_beside_its_chart() {
    let (_serving, url, asked) = told().await;
    let site = Site::with(|ui| ui.prometheus(&url).unwrap());
    site.seed().await;
    assert!(site.page("/charts").await.contains("From Prometheus"));
    let page = site.page("/charts/prometheus?range=6h").await;
    for title in
        ["Processed", "Failed", "Error rate", "Size", "Latency", "Memory", "Pending", "Retry", "Archived"]
    {
        assert!(page.contains(&format!("<h2>{title}</h2>")), "{title}: {page}");
    }
    assert_eq!(page.matches("class=\"plot\"").count(), 8);
    assert!(page.contains("mail <b>7</b>") && page.contains("too many &lt;samples&gt;"), "{page}");
    let host = url.split('@').nth(1).unwrap().split('/').next().unwrap();
    assert!(!page.contains(host) && !page.contains("secret"), "no browser learns where it is");

    let asked = std::mem::take(&mut *asked.lock().unwrap());
    assert_eq!(asked.len(), 9);
    let queries: Vec<&str> = asked.iter().map(|form| form["query"].as_str()).collect();
    assert!(queries.contains(&"rate(asynq_tasks_processed_total{}[5m])"), "{queries:?}");
    assert!(queries.contains(&"asynq_tasks_enqueued_total{state=\"retry\",}"), "{queries:?}");
    let form = &asked[0];
    let number = |name: &str| form[name].parse::<f64>().unwrap();
    assert!(
        (number("end") - number("start") - (21_600.0 - 120.0)).abs() < 0.01 && form["step"] == "120.000",
        "{form:?}"
    );
}

#[tokio::test]
async fn names_in_queries_mean_themselves_and_only_those_that_may_be_seen() {
    let (_serving, url, asked) = told().await;
    let site =
        Site::with(|ui| ui.prometheus(&url).unwrap().rights(Rights::viewer().in_queues(["a*", "mail"])));
    site.enqueue("mail", "m", "{}", |options| options).await;
    site.enqueue("secret", "s", "{}", |options| options).await;
    let sizes = async |path: &str| {
        let answer = site.get(path).await;
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        let size = asked
            .iter()
            .map(|form| form["query"].clone())
            .find(|query| query.starts_with("asynq_queue_size"));
        (answer.status, size)
    };
    let (_, all) = sizes("/charts/prometheus").await;
    assert_eq!(all.unwrap(), "asynq_queue_size{queue=~\"mail\"}");
    let odd = format!("/charts/prometheus?queue={}&queue=mail", segment("a.*|.+\"}"));
    let (_, named) = sizes(&odd).await;
    assert_eq!(named.unwrap(), r#"asynq_queue_size{queue=~"a\\.\\*\\|\\.\\+\"\\}|mail"}"#);
    let (status, none) = sizes("/charts/prometheus?queue=secret").await;
    assert_eq!((status, none), (StatusCode::FORBIDDEN, None));
    for (path, words) in [("?range=2h", "must be one of 1h, 6h"), ("?end=soon", "end:")] {
        let answer = site.get(&format!("/charts/prometheus{path}")).await;
        assert!(answer.status == StatusCode::BAD_REQUEST && answer.text().contains(words), "{path}");
    }
}

#[tokio::test]
async fn one_that_is_away_or_is_none_is_told_of() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let site = Site::with(|ui| ui.prometheus(format!("http://{free}")).unwrap());
    assert!(site.page("/charts/prometheus").await.contains("Prometheus cannot be reached"));

    let (_serving, address) =
        serve(Router::new().fallback(async || (StatusCode::BAD_GATEWAY, "<html>"))).await;
    let site = Site::with(|ui| ui.prometheus(format!("http://{address}")).unwrap());
    assert!(site.page("/charts/prometheus").await.contains("this is no Prometheus: it answered 502"));
}

#[tokio::test(start_paused = true)]
async fn one_that_says_nothing_is_not_waited_for() {
    // It accepts, and that is all.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::with(|ui| ui.prometheus(format!("http://{}", silent.local_addr().unwrap())).unwrap());
    assert!(site.page("/charts/prometheus").await.contains("has not answered within 5 s"));
}

#[tokio::test]
async fn a_real_prometheus_that_scrapes_our_exporter_is_drawn() {
    let client = Client::in_memory();
    for n in 0..5 {
        let options = TaskOptions::new().queue("a.b|c\"").task_id(format!("t{n}"));
        client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
    }
    let exporter = Exporter::new(&client).memory(true);
    let scraped = get(async move || exporter.text().await);
    let (_serving, target) = serve(Router::new().route("/metrics", scraped)).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yml");
    let jobs = format!(
        "scrape_configs:\n- job_name: asynq\n  scrape_interval: 1s\n  static_configs:\n  - targets: ['{target}']\n"
    );
    std::fs::write(&config, jobs).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let _prometheus = tokio::process::Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect(
            "`prometheus` is not on PATH: install the Debian package prometheus, as `cargo xtask test` does",
        );

    let service = WebUi::new(&client).prometheus(format!("http://{address}")).unwrap().service();
    let page = async || {
        let path = format!("/charts/prometheus?queue={}", segment("a.b|c\""));
        ask(&service, Request::get(path).header("host", "localhost").body(Body::empty()).unwrap())
            .await
            .text()
    };
    let drawn = |page: &str| {
        page.matches("a.b|c&quot; <b>5</b>").count() == 2 && page.matches("role=\"alert\"").count() == 0
    };
    let page =
        eventually("size and pending are drawn", async || Some(page().await).filter(|page| drawn(page)))
            .await;
    assert!(page.contains("<h2>Memory</h2>"), "{page}");
    // Rates need two scrapes, and no failure: nothing of them is an error.
    assert!(!page.contains("parse error"), "{page}");
}
