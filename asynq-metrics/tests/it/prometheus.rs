//! The dashboard and the alerts in a real Prometheus that scrapes our exporter and a worker: the rules are ones that it
//! takes, and every query has a result.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::router::{Ctx, Router};
use asynq_core::server::Server;
use asynq_core::task::TaskOptions;
use asynq_core::wire::SchedulerEntry;
use asynq_metrics::{Exporter, WorkerMetrics};
use asynq_testkit::{RedisServer, eventually_within};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::dashboards::{all, read};
use crate::support::{seed, task};

const MISSING: &str = "is not on PATH: install the Debian package prometheus, as `cargo xtask test` does";

#[test]
fn promtool_takes_the_rules() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/prometheus/asynq.rules.yml");
    let checked = std::process::Command::new("promtool").args(["check", "rules"]).arg(rules).output();
    let checked = checked.unwrap_or_else(|error| panic!("`promtool` {MISSING}: {error}"));
    let told =
        String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    let rules: Value = serde_norway::from_str(&read("prometheus/asynq.rules.yml")).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let count: usize = groups.iter().map(|group| group["rules"].as_array().unwrap().len()).sum();
    assert!(checked.status.success() && told.contains(&format!("SUCCESS: {count} rules found")), "{told}");
}

/// What is scraped.
enum Told {
    Store(Exporter),
    Worker(WorkerMetrics),
}

/// Answers whoever connects with a scrape.
async fn tell(listener: TcpListener, told: Told) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let body = match &told {
            Told::Store(exporter) => exporter.text().await,
            Told::Worker(metrics) => metrics.text(),
        };
        let length = body.len();
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/plain; version=0.0.4\r\n";
        // Prometheus may have gone meanwhile.
        drop(stream.write_all(format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes()).await);
    }
}

/// What Prometheus answers to a query at this moment: how many series, or why there are none; nothing while it starts.
async fn query(address: &str, expression: &str) -> Option<Result<usize, String>> {
    let form: Vec<String> = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let body = format!("query={}", form.concat());
    let mut stream = TcpStream::connect(address).await.ok()?;
    let head = format!(
        "POST /api/v1/query HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    let series = answer["data"]["result"].as_array();
    Some(series.map(Vec::len).ok_or_else(|| answer["error"].to_string()))
}

/// Prometheus, on what is told at these addresses.
fn prometheus(folder: &Path, address: &str, targets: &[String]) -> tokio::process::Child {
    let config = folder.join("prometheus.yml");
    let jobs = format!(
        "scrape_configs:\n- job_name: asynq\n  scrape_interval: 1s\n  static_configs:\n  - targets: {targets:?}\n"
    );
    std::fs::write(&config, jobs).unwrap();
    tokio::process::Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("`prometheus` {MISSING}: {error}"))
}

/// The expressions of the dashboard as Grafana sends them, where everything is chosen; and those of the alerts without what
/// they compare with, for in a store that is well no alert fires.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("grafana/asynq.json")).unwrap();
    let rules: Value = serde_norway::from_str(&read("prometheus/asynq.rules.yml")).unwrap();
    let (mut shown, mut alerts) = (Vec::new(), Vec::new());
    all(&dashboard, "expr", &mut shown);
    all(&rules, "expr", &mut alerts);
    let variables =
        [("$__rate_interval", "30s"), ("$job", ".*"), ("$queue", ".*"), ("$type", ".*"), ("$instance", ".*")];
    let filled = shown
        .into_iter()
        .map(|text| variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value)));
    let compared = alerts.into_iter().flat_map(|text| {
        let sides = text.split(" and on (instance, queue) ").flat_map(|side| side.split("\nand "));
        let sides = sides.flat_map(|side| side.split(" and "));
        sides.map(|side| side.split(['>', '<']).next().unwrap().split("==").next().unwrap().trim().to_owned())
    });
    let all: Vec<String> = filled.chain(compared).collect();
    assert!(all.iter().all(|text| !text.contains('$')), "{all:?}");
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_the_dashboard_and_the_alerts_has_a_result() {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    seed(&client).await;
    let entry = SchedulerEntry {
        prev_enqueue_time: Some(jiff::Timestamp::now().into()),
        ..SchedulerEntry::default()
    };
    client.broker().write_scheduler_entries("s", &[entry], Duration::from_secs(600)).await.unwrap();
    let metrics = WorkerMetrics::new();
    let router = Router::new()
        .route("t", async |ctx: Ctx| match ctx.task_id().as_str() {
            "bad" => Err("it broke".to_owned()),
            "panic" => panic!("it does"),
            "slow" => std::future::pending().await,
            _ => Ok(()),
        })
        .unwrap();
    let server = Server::builder(&client).router(router).queues([("work", 1)]).observer(metrics.clone());
    let server = server.start().await.unwrap();
    let exporter = Exporter::new(&client).memory(true).entries(true);
    let (mut telling, mut targets) = (JoinSet::new(), Vec::new());
    let mut listen = async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        targets.push(listener.local_addr().unwrap().to_string());
        listener
    };
    let (of_store, of_worker) = (listen().await, listen().await);
    telling.spawn(tell(of_store, Told::Store(exporter)));
    telling.spawn(tell(of_worker, Told::Worker(metrics)));
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let _prometheus = prometheus(folder.path(), &address, &targets);
    // A run of each outcome; whatever its rate is then, it is a result.
    for name in ["good", "bad", "panic", "slow"] {
        let options = TaskOptions::new().max_retry(0).timeout(Duration::from_secs(1));
        client.enqueue(task("work", name, options)).await.unwrap();
    }
    let mut left = expressions();
    eventually_within(Duration::from_secs(60), "every query has a result", async || {
        let mut without = Vec::new();
        for expression in &left {
            match query(&address, expression).await? {
                Ok(0) => without.push(expression.clone()),
                Ok(_) => {}
                Err(error) => panic!("{expression}: {error}"),
            }
        }
        left = without;
        // So that it can be seen, should it stay so.
        eprintln!("without a result: {left:#?}");
        left.is_empty().then_some(())
    })
    .await;
    server.shutdown().await;
}
