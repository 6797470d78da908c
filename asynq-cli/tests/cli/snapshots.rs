//! Every command that prints data, in every format, as it was last looked at: a file for each command in `snapshots/`.
//!
//! What differs from run to run is replaced, and columns of tables are two blanks apart, as their widths depend on it.
//! `ASYNQ_UPDATE_SNAPSHOTS=1` writes the files anew.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

use super::done;
use super::world::lively;

const FORMATS: [&str; 6] = ["table", "wide", "json", "jsonl", "csv", "yaml"];

const COMMANDS: [(&str, &[&str]); 21] = [
    ("stats", &["stats"]),
    ("queue-list", &["queue", "list"]),
    ("queue-inspect", &["queue", "inspect", "mail", "work", "--types"]),
    ("queue-history", &["queue", "history", "work", "--days", "2"]),
    ("task-list-pending", &["task", "list", "-q", "mail", "-s", "pending"]),
    ("task-list-active", &["task", "list", "-q", "work", "-s", "active"]),
    ("task-list-scheduled", &["task", "list", "-q", "low", "-s", "scheduled"]),
    ("task-list-retry", &["task", "list", "-q", "work", "-s", "retry"]),
    ("task-list-archived", &["task", "list", "-q", "mail", "-s", "archived"]),
    ("task-list-completed", &["task", "list", "-q", "work", "-s", "completed"]),
    ("task-list-aggregating", &["task", "list", "-q", "low", "-s", "aggregating", "-g", "users"]),
    ("task-list-filter", &["task", "list", "--filter", "type:email:*", "--sort", "id", "--reverse"]),
    ("task-find", &["task", "find", "p1"]),
    ("task-types", &["task", "types"]),
    ("task-errors", &["task", "errors"]),
    ("task-inspect", &["task", "inspect", "-q", "mail", "-i", "p1"]),
    ("task-inspect-completed", &["task", "inspect", "-q", "work", "-i", "w3"]),
    ("group-list", &["group", "list", "-q", "low"]),
    ("server-list", &["server", "list"]),
    ("server-workers", &["server", "workers"]),
    ("cron-list", &["cron", "list"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_prints_in_every_format_what_it_did() {
    let world = lively().await;
    let server = world.inspector.servers().await.unwrap().remove(0);
    let pid = format!("(?-u:\\b){}(?-u:\\b)", server.pid);
    let redaction = Redaction::new(&[
        (&regex::escape(&server.id), "<server>"),
        (&pid, "<pid>"),
        (&regex::escape(&server.host), "<host>"),
    ]);
    let inspect_server = ["server", "inspect", &server.id];
    let mut changed = Vec::new();
    for (name, words) in COMMANDS.into_iter().chain([("server-inspect", &inspect_server[..])]) {
        let mut text = String::new();
        for format in FORMATS {
            let out = done(&world.redis, &[words, &["-o", format]].concat()).out;
            let out = redaction.of(&out, format, name == "stats");
            let shown = words.iter().map(|word| redaction.line(word)).collect::<Vec<_>>().join(" ");
            text.push_str(&["$ asynq ", &shown, " -o ", format, "\n", out.trim_end(), "\n\n"].concat());
        }
        if !is_as_before(name, &text) {
            changed.push(name);
        }
    }
    assert!(changed.is_empty(), "other than before: {changed:?}; ASYNQ_UPDATE_SNAPSHOTS=1 accepts it");
}

/// Whether this is what the file holds; the difference is printed.
fn is_as_before(name: &str, text: &str) -> bool {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/snapshots/{name}.txt"));
    if std::env::var_os("ASYNQ_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, text).unwrap();
        return true;
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    if before == text {
        return true;
    }
    let pairs = before.lines().zip(text.lines()).enumerate().filter(|(_, (was, is))| was != is);
    for (number, (was, is)) in pairs.take(10) {
        eprintln!("{name}.txt:{}\n- {was}\n+ {is}", number + 1);
    }
    false
}

/// Replaces what differs from run to run.
struct Redaction(Vec<(Regex, &'static str)>);

impl Redaction {
    fn new(names: &[(&str, &'static str)]) -> Self {
        let patterns = [
            ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "<time>"),
            ("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC", "<time>"),
            ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "<date>"),
            (r"(?-u:\b)(in )?[0-9]+(ms|s|m|h|d)( [0-9]+[smh])?( ago)?(?-u:\b)", "<length>"),
            (r"(?-u:\b)now(?-u:\b)", "<length>"),
            (r"(?-u:\b)[0-9]+(\.[0-9])? (B|KiB|MiB)", "<size>"),
            ("((latency_ms|memory_bytes)\"?: ?)[0-9]+", "$1<number>"),
        ];
        let patterns = names.iter().copied().chain(patterns);
        Self(patterns.map(|(pattern, shown)| (Regex::new(pattern).unwrap(), shown)).collect())
    }

    fn line(&self, text: &str) -> String {
        let replaced = |text: String, (pattern, shown): &(Regex, &'static str)| {
            pattern.replace_all(&text, *shown).into_owned()
        };
        self.0.iter().fold(text.to_owned(), replaced)
    }

    fn of(&self, out: &str, format: &str, with_redis: bool) -> String {
        let out = match format {
            "csv" => columns_hidden(out),
            "json" | "jsonl" | "yaml" if with_redis => without_redis(out, format),
            "table" | "wide" if with_redis => out.split("\nRedis\n").next().unwrap_or_default().to_owned(),
            _ => out.to_owned(),
        };
        let out = self.line(&out);
        if matches!(format, "table" | "wide") {
            return Regex::new(" {2,}").unwrap().replace_all(&out, "  ").into_owned();
        }
        out
    }
}

/// CSV without the values of columns that always differ.
fn columns_hidden(out: &str) -> String {
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headings).unwrap();
    for row in reader.records() {
        let row = row.unwrap();
        let cells = headings.iter().zip(&row).map(|(heading, cell)| match heading {
            "latency_ms" | "memory_bytes" => "<number>",
            _ => cell,
        });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Statistics without what Redis says of itself.
fn without_redis(out: &str, format: &str) -> String {
    let mut value: Value = serde_norway::from_str(out).unwrap();
    let redis = value.as_object_mut().unwrap().remove("redis").unwrap();
    assert!(redis["redis_version"].is_string(), "{redis}");
    if format == "yaml" {
        return serde_norway::to_string(&value).unwrap();
    }
    let text = serde_json::to_string_pretty(&value).unwrap();
    if format == "json" { text } else { value.to_string() }
}
