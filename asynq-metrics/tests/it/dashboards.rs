//! The dashboard and the alerts in `docs/`: every metric and label that they name is in a real scrape.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use asynq_core::client::Client;
use asynq_core::server::Server;
use asynq_core::task::TaskOptions;
use asynq_core::wire::SchedulerEntry;
use asynq_metrics::{Exporter, WorkerMetrics};
use asynq_testkit::{RedisServer, eventually};
use serde_json::Value;

use crate::support::{router, task};

/// Labels that Prometheus puts on what it scrapes, and that of a bucket's bound.
const GIVEN: [&str; 3] = ["instance", "job", "le"];

/// A file below `docs/`.
pub(crate) fn read(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::read_to_string(folder.join(path)).unwrap()
}

/// Every text under this name, however deep.
pub(crate) fn all<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(name).and_then(Value::as_str));
            fields.values().for_each(|value| all(value, name, found));
        }
        Value::Array(values) => values.iter().for_each(|value| all(value, name, found)),
        _ => {}
    }
}

/// The names in an expression that are of metrics of ours, each with the labels in the braces behind it.
fn metrics(expression: &str) -> Vec<(String, Vec<String>)> {
    let metric = |part: &str| {
        let name = part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap();
        let labels = part.strip_prefix(name)?.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let labels = labels.map_or("", |(labels, _)| labels).split(',');
        let labels = labels.filter_map(|label| label.split(['=', '!']).next());
        let labels = labels.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
        Some((format!("asynq_{name}"), labels.collect()))
    };
    expression.split("asynq_").skip(1).filter_map(metric).collect()
}

/// The labels by which an expression sums up or joins.
fn grouped_by(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in ["by (", "on ("] {
        for part in expression.split(word).skip(1) {
            let labels = part.split_once(')').unwrap().0.split(',');
            found.extend(labels.map(|label| label.trim().to_owned()));
        }
    }
    found
}

/// The labels of each metric in scrapes of a store and of a worker; buckets, sums and counts by their own names.
async fn scraped() -> BTreeMap<String, BTreeSet<String>> {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let worker = WorkerMetrics::new();
    let server = Server::builder(&client).router(router()).observer(worker.clone()).start().await.unwrap();
    client.enqueue(task("default", "a", TaskOptions::new())).await.unwrap();
    let entry = SchedulerEntry {
        prev_enqueue_time: Some(jiff::Timestamp::now().into()),
        ..SchedulerEntry::default()
    };
    let ttl = std::time::Duration::from_secs(60);
    client.broker().write_scheduler_entries("s", &[entry], ttl).await.unwrap();
    eventually("a run has ended", async || worker.text().contains("outcome=").then_some(())).await;
    let text = Exporter::new(&client).memory(true).entries(true).text().await + &worker.text();
    server.shutdown().await;
    let mut scraped = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
        let labels = labels.split("\",").filter_map(|label| label.split('=').next());
        let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned);
        scraped.entry(name.to_owned()).or_default().extend(labels);
    }
    scraped
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_dashboard_and_the_alerts_name_is_there() {
    let dashboard: Value = serde_json::from_str(&read("grafana/asynq.json")).unwrap();
    let rules: Value = serde_norway::from_str(&read("prometheus/asynq.rules.yml")).unwrap();
    let mut expressions = Vec::new();
    for (file, name) in [(&dashboard, "expr"), (&dashboard, "definition"), (&rules, "expr")] {
        let before = expressions.len();
        all(file, name, &mut expressions);
        assert!(expressions.len() > before, "no {name}");
    }
    let scraped = scraped().await;
    let mut named = BTreeSet::new();
    for expression in &expressions {
        let metrics = metrics(expression);
        assert!(!metrics.is_empty(), "{expression} names no metric");
        let mut labels: BTreeSet<&str> = BTreeSet::from(GIVEN);
        for (name, in_braces) in &metrics {
            let known = scraped.get(name).unwrap_or_else(|| panic!("no {name}, in {expression}"));
            for label in in_braces {
                let is_known = known.contains(label) || GIVEN.contains(&label.as_str());
                assert!(is_known, "{name} has no label {label}, in {expression}");
            }
            labels.extend(known.iter().map(String::as_str));
            named.insert(name.clone());
        }
        for label in grouped_by(expression) {
            assert!(labels.contains(label.as_str()), "no label {label}, in {expression}");
        }
    }
    // And the other way round: what is told is shown, but for single entries of schedules and for numbers of buckets.
    let is_shown = |name: &&String| !name.ends_with("_count") && !name.contains("scheduler_last_enqueue");
    let unseen: Vec<_> = scraped.keys().filter(is_shown).filter(|name| !named.contains(*name)).collect();
    assert_eq!(unseen, ["asynq_x_task_wait_seconds_sum"], "told, and shown nowhere");
}

#[test]
fn panels_have_ids_and_places_of_their_own_and_every_alert_says_what_it_is_about() {
    let dashboard: Value = serde_json::from_str(&read("grafana/asynq.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    let places: BTreeSet<_> = panels.iter().map(|panel| panel["gridPos"].to_string()).collect();
    assert_eq!((ids.len(), places.len()), (panels.len(), panels.len()));

    let rules: Value = serde_norway::from_str(&read("prometheus/asynq.rules.yml")).unwrap();
    let mut names = BTreeSet::new();
    for rule in
        rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap())
    {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        for text in ["summary", "description"] {
            assert!(rule["annotations"][text].is_string(), "{name} has no {text}");
        }
        assert!(rule["labels"]["severity"].is_string(), "{name} has no severity");
    }
    let guide = read("observability.md");
    for name in names {
        assert!(
            guide.contains(&format!("`{name}`")),
            "docs/observability.md does not say what to do about {name}"
        );
    }
}
