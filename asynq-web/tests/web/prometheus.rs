//! The charts of asynqmon, from a Prometheus: a real one, and one that says what the test wants.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use asynq_metrics::Exporter;
use asynq_testkit::certificates::{Authority, Identity};
use asynq_testkit::{eventually, eventually_within};
use asynq_web::{Rights, WebService, WebUi};
use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::task::JoinSet;

use crate::site::{Answer, Site, ask, segment};

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

/// A real Prometheus that scrapes our exporter, and what it needs.
struct Real {
    client: Client,
    address: SocketAddr,
    _folder: TempDir,
    _scraped: JoinSet<()>,
    _process: Child,
}

impl Real {
    /// Over https if it is given a certificate.
    async fn start(identity: Option<&Identity>) -> Self {
        let client = Client::in_memory();
        for n in 0..5 {
            let options = TaskOptions::new().queue("a.b|c\"").task_id(format!("t{n}"));
            client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
        }
        client.enqueue(Task::new("t", "").unwrap().options(TaskOptions::new().queue("other"))).await.unwrap();
        let exporter = Exporter::new(&client).memory(true);
        let scraped = get(async move || exporter.text().await);
        let (scraped, target) = serve(Router::new().route("/metrics", scraped)).await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let jobs = format!(
            "scrape_configs:\n- job_name: asynq\n  scrape_interval: 1s\n  static_configs:\n  - targets: ['{target}']\n"
        );
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut command = tokio::process::Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file("prometheus.yml", &jobs)))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"));
        if let Some(Identity { certificate, key }) = identity {
            let (certificate, key) = (file("cert.pem", certificate), file("key.pem", key));
            let web = format!("tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n");
            command.arg(format!("--web.config.file={}", file("web.yml", &web)));
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().expect(
            "`prometheus` is not on PATH: install the Debian package prometheus, as `cargo xtask test` does",
        );
        Self { client, address, _folder: folder, _scraped: scraped, _process: process }
    }

    fn https(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

/// What is at an address of a service.
async fn look(service: &WebService, path: &str) -> Answer {
    ask(service, Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()).await
}

/// The charts of the odd queue, once size and pending are drawn.
async fn drawn(service: &WebService) -> String {
    let path = format!("/charts/prometheus?queue={}", segment("a.b|c\""));
    eventually("size and pending are drawn", async || {
        let page = look(service, &path).await.text();
        let drawn = page.matches("a.b|c&quot; <b>5</b>").count() == 2;
        Some(page).filter(|page| drawn && !page.contains("role=\"alert\""))
    })
    .await
}

#[tokio::test]
async fn a_real_prometheus_that_scrapes_our_exporter_is_drawn() {
    let real = Real::start(None).await;
    let ui = WebUi::new(&real.client).prometheus(format!("http://{}", real.address)).unwrap();
    let service = ui.clone().service();
    let page = drawn(&service).await;
    assert!(page.contains("<h2>Memory</h2>"), "{page}");
    // Rates need two scrapes, and no failure: nothing of them is an error.
    assert!(!page.contains("parse error"), "{page}");

    let last = async |service: &WebService, query: &str| {
        let answer = look(service, &format!("/api/v1/series?source=prometheus&{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        let answer = answer.json();
        let steps = 3_600_000 / answer["step_ms"].as_u64().unwrap();
        assert_eq!(answer["items"].as_array().unwrap().len() as u64, steps, "{answer}");
        (answer["items"].as_array().unwrap().last().unwrap()["value"].as_f64(), answer)
    };
    let of_odd = format!("metric=size&queue={}", segment("a.b|c\""));
    // A step is as it was when it began, and the first that began after Prometheus did is half a minute away at most.
    let (size, answer) = eventually_within(Duration::from_secs(60), "a step has begun", async || {
        Some(last(&service, &of_odd).await).filter(|(size, _)| size.is_some())
    })
    .await;
    assert_eq!((size, &answer["unit"], &answer["limited"]), (Some(5.0), &json!("tasks"), &json!(false)));
    assert_eq!(last(&service, "metric=pending").await.0, Some(6.0), "of all queues");
    assert!(last(&service, "metric=latency").await.0.is_some());
    let metrics = ["processed", "failed", "error_rate", "archived", "run&type=a%22b", "wait&quantile=0.5"];
    for metric in metrics {
        last(&service, &format!("metric={metric}")).await;
    }
    let limited = ui.rights(Rights::viewer().in_queues(["oth*"])).service();
    let (size, answer) = last(&limited, "metric=size").await;
    assert_eq!((size, &answer["limited"]), (Some(1.0), &json!(true)));
    let refused = look(&limited, &format!("/api/v1/series?source=prometheus&{of_odd}")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_certificate_of_an_authority_of_ones_own_is_accepted_and_a_wrong_one_told_in_words() {
    let (authority, other) = (Authority::new(), Authority::new());
    let real = Real::start(Some(&authority.sign("localhost"))).await;
    let with = |url: &str| WebUi::new(&real.client).prometheus(url).unwrap();
    let trusting = with(&real.https()).prometheus_authorities(authority.pem()).unwrap().service();
    drawn(&trusting).await;
    let says = async |ui: WebUi, words: &str| {
        let service = ui.service();
        let page = look(&service, "/charts/prometheus").await.text();
        assert_eq!(page.matches(words).count(), 9, "{words}: {page}");
        let answer = look(&service, "/api/v1/series?metric=size&source=prometheus").await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (StatusCode::BAD_GATEWAY, &json!("prometheus_failed"))
        );
        assert!(answer.text().contains(words), "{}", answer.text());
    };
    let untrusted = "its certificate is signed by an authority that is not trusted here";
    says(with(&real.https()), untrusted).await;
    says(with(&real.https()).prometheus_authorities(other.pem()).unwrap(), untrusted).await;
    let by_address = format!("https://{}", real.address);
    says(
        with(&by_address).prometheus_authorities(authority.pem()).unwrap(),
        "its certificate is for another host name",
    )
    .await;

    let plain = Real::start(None).await;
    eventually("it answers", async || tokio::net::TcpStream::connect(plain.address).await.ok()).await;
    says(with(&plain.https()), "does it speak https on this port?").await;
    let old = Real::start(Some(&authority.sign_expired("localhost"))).await;
    eventually("it answers", async || tokio::net::TcpStream::connect(old.address).await.ok()).await;
    says(with(&old.https()).prometheus_authorities(authority.pem()).unwrap(), "its certificate has expired")
        .await;

    let wrong = with(&real.https()).prometheus_authorities("odd").unwrap_err().to_string();
    assert_eq!(wrong, "the authorities of Prometheus: there is no certificate in the PEM");
    let wrong = with("http://localhost:1").prometheus_authorities(authority.pem()).unwrap_err().to_string();
    assert!(wrong.contains("begins with https://"), "{wrong}");
    let wrong = WebUi::new(&real.client).prometheus_authorities(authority.pem()).unwrap_err().to_string();
    assert!(wrong.contains("there is no Prometheus"), "{wrong}");
}
