//! Every command that prints data, in every format, as it was last looked at: a file for each command in `snapshots/`.
//!
//! What differs from run to run is replaced, and columns of tables are two blanks apart, as their widths depend on it.
//! `ASYNQ_UPDATE_SNAPSHOTS=1` writes the files anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::scheduler::{CatchUp, PeriodicTask, StoredSchedules};
use asynq_core::task::{Task, TaskOptions};
use asynq_core::wire::SchedulerEnqueueEvent;
use regex::Regex;
use serde_json::Value;

use super::world::{World, lively};
use super::{ended, program, run};

const FORMATS: [&str; 6] = ["table", "wide", "json", "jsonl", "csv", "yaml"];

/// The name of the file, and the command.
const COMMANDS: [(&str, &[&str]); 29] = [
    ("stats", &["stats"]),
    ("queue-list", &["queue", "list"]),
    ("queue-inspect", &["queue", "inspect", "mail", "work", "--types"]),
    ("queue-history", &["queue", "history", "work", "--days", "2"]),
    ("queue-drain", &["queue", "drain", "mail", "work"]),
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
    ("task-delete-dry-run", &["task", "delete", "--filter", "queue:mail", "--dry-run"]),
    ("group-list", &["group", "list", "-q", "low"]),
    ("server-list", &["server", "list"]),
    ("server-workers", &["server", "workers"]),
    ("cron-list", &["cron", "list"]),
    ("cron-show", &["cron", "show", "bill 7", "d64dbc90-b413-48ea-a543-3aab89a01960"]),
    ("cron-history", &["cron", "history", "entry-1", "entry-2"]),
    ("lease-list", &["lease", "list"]),
    ("redis-info", &["redis", "info"]),
    ("doctor", &["doctor"]),
    ("doctor-classes", &["doctor", "--classes"]),
];

/// Commands that end by what they print, here, and not with success.
const NOT_ZERO: [&str; 2] = ["queue-drain", "doctor"];

/// Commands without a snapshot, and why.
const WITHOUT: [(&str, &str); 31] = [
    ("queue remove", "nothing is left for a second format; as `queue pause`, one line or row of its outcome"),
    ("task cancel", "the same of tasks, which `task-delete-dry-run` and changing.rs show"),
    ("task run", "the same"),
    ("task archive", "the same"),
    ("task move", "the same"),
    ("task copy", "the same"),
    ("task edit", "the same"),
    ("task runall", "the same"),
    ("task archiveall", "the same"),
    ("task deleteall", "the same"),
    ("task enqueue", "prints an ID that is new each time; changing.rs"),
    ("cron create", "a sentence, or the record of `cron show`; schedules.rs"),
    ("cron edit", "the same"),
    ("cron pause", "one line or row of its outcome, as `queue pause`; schedules.rs"),
    ("cron resume", "the same"),
    ("cron delete", "the same"),
    ("cron run", "prints an ID that is new each time; schedules.rs"),
    ("unique release", "the same as `task delete`; care.rs"),
    ("export", "has one format, that `import` reads; care.rs"),
    ("dash", "a screen; asynq-cli/src/commands/dash/tests"),
    ("web hash-password", "prints something else each time; web.rs"),
    ("web new-token", "prints something else each time; web.rs"),
    ("exporter", "a server; exporter.rs"),
    ("tail", "prints when something happens; looking.rs"),
    ("config path", "a path"),
    ("context use", "a sentence; configuration.rs"),
    ("completions", "a script of clap's"),
    ("man", "pages, made of what docs/cli.md says"),
    ("help", "docs/cli.md"),
    ("wait", "a record of three fields; looking.rs"),
    ("import", "a sentence, or one object; care.rs"),
];

/// What is shown beside [`COMMANDS`]: it needs names that are not known before, or changes something.
fn more(server: &str, config: &str) -> Vec<(&'static str, Vec<String>)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        ("server-inspect", words(&["server", "inspect", server])),
        ("context-list", words(&["context", "list", "--config", config])),
        ("context-show", words(&["context", "show", "there", "--config", config])),
        ("config-show", words(&["config", "show", "--config", config, "--db", "1", "--password", "x"])),
        ("unique-list", words(&["unique", "list"])),
        ("queue-pause", words(&["queue", "pause", "mail"])),
        ("queue-resume", words(&["queue", "resume", "mail"])),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_prints_in_every_format_what_it_did() {
    let world = lively().await;
    enqueue_by_schedules(&world).await;
    let revision = store_a_schedule(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let text = "current = \"here\"\ntimeout = \"5s\"\n\n[context.here]\ndb = 0\n\n[context.there]\n\
                redis_url = \"redis://ann:secret@example.com\"\ntls = true\n";
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let server = world.inspector.servers().await.unwrap().remove(0);
    let pid = format!("(?-u:\\b){}(?-u:\\b)", server.pid);
    let redaction = Redaction::new(&[
        (&regex::escape(&server.id), "<server>"),
        (&pid, "<pid>"),
        (&revision, "<revision>"),
        (&regex::escape(&server.host), "<host>"),
        (&regex::escape(config), "<config>"),
        (&regex::escape(env!("CARGO_PKG_VERSION")), "<version>"),
    ]);
    let mut changed = Vec::new();
    let fixed = COMMANDS.map(|(name, words)| (name, words.iter().map(|word| (*word).to_owned()).collect()));
    for (name, words) in fixed.into_iter().chain(more(&server.id, config)) {
        if name == "unique-list" {
            enqueue_unique(&world).await;
        }
        let mut text = String::new();
        for format in FORMATS {
            let words: Vec<&str> = words.iter().map(String::as_str).chain(["-o", format]).collect();
            let ran = run(&world.redis, &words);
            assert_eq!(ran.code, i32::from(NOT_ZERO.contains(&name)), "{words:?}: {ran:?}");
            let out = redaction.of(&ran.out, format, name);
            let shown = words.iter().map(|word| redaction.line(word)).collect::<Vec<_>>().join(" ");
            text.push_str(&["$ asynq ", &shown, "\n", out.trim_end(), "\n\n"].concat());
        }
        if !is_as_before(name, &text) {
            changed.push(name);
        }
    }
    assert!(changed.is_empty(), "other than before: {changed:?}; ASYNQ_UPDATE_SNAPSHOTS=1 accepts it");
}

/// Whatever commands there are: those that come later are not forgotten.
#[test]
fn every_command_has_a_snapshot_or_a_reason() {
    fn leaves(command: &Value, above: &str, into: &mut BTreeSet<String>) {
        let below = command["commands"].as_array().unwrap();
        for command in below {
            leaves(command, &format!("{above} {}", command["name"].as_str().unwrap()), into);
        }
        if below.is_empty() {
            into.insert(above.trim().to_owned());
        }
    }
    let mut commands = BTreeSet::new();
    leaves(&ended(&mut program(&["help", "--json"])).json(), "", &mut commands);
    let lines = COMMANDS.iter().map(|(_, words)| words.join(" "));
    let lines: Vec<String> =
        lines.chain(more("s", "c").into_iter().map(|(_, words)| words.join(" "))).collect();
    let is_shown =
        |command: &String| lines.iter().any(|line| format!("{line} ").starts_with(&format!("{command} ")));
    let reasons: BTreeSet<String> = WITHOUT.iter().map(|(command, _)| (*command).to_owned()).collect();
    let (shown, bare): (BTreeSet<String>, BTreeSet<String>) = commands.into_iter().partition(is_shown);
    assert!(shown.len() > 15, "{shown:?}");
    assert_eq!(bare, reasons, "commands without a snapshot, and those in `WITHOUT`");
}

/// Two schedules have enqueued something.
async fn enqueue_by_schedules(world: &World) {
    let client = Client::connect(&world.redis.url()).await.unwrap();
    for (entry, task_id, seconds) in
        [("entry-1", "e1", 1_800_000_000), ("entry-1", "e2", 1_800_003_600), ("entry-2", "e3", 1_800_000_001)]
    {
        let at = jiff::Timestamp::from_second(seconds).unwrap();
        let (task_id, enqueue_time) = (task_id.to_owned(), Some(at.into()));
        let event = SchedulerEnqueueEvent { task_id, enqueue_time, ..SchedulerEnqueueEvent::default() };
        client.broker().record_enqueue_event(entry, &event, Duration::from_secs(3_600)).await.unwrap();
    }
}

/// One is stored, and paused; its revision.
async fn store_a_schedule(world: &World) -> String {
    let schedules = StoredSchedules::new(&Client::connect(&world.redis.url()).await.unwrap());
    let task = Task::new("bill", r#"{"tenant":7}"#).unwrap().header("tenant", "7");
    let options = |options: TaskOptions| options.queue("low").max_retry(3).timeout(Duration::from_secs(90));
    let task = PeriodicTask::new("0 6 1 * *", task).name("bill 7").time_zone("Europe/Rome").options(options);
    schedules.create(task.catch_up(CatchUp::All(3))).await.unwrap();
    schedules.pause("bill 7").await.unwrap();
    schedules.get("bill 7").await.unwrap().revision().to_string()
}

async fn enqueue_unique(world: &World) {
    let client = Client::connect(&world.redis.url()).await.unwrap();
    let options = TaskOptions::new().queue("low").task_id("u1").unique(Duration::from_secs(3_600));
    client.enqueue(Task::new("report", "x").unwrap().options(options)).await.unwrap();
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
            ("((latency_ms|memory_bytes|expires_in_ms)\"?: ?)[0-9]+", "$1<number>"),
            (r"127\.0\.0\.1:[0-9]+", "<redis>"),
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

    fn of(&self, out: &str, format: &str, name: &str) -> String {
        let out = match (name, format) {
            ("redis-info", _) => some_of_redis(out, format),
            ("stats", "json" | "jsonl" | "yaml") => without_redis(out, format),
            ("stats", "table" | "wide") => out.split("\nRedis\n").next().unwrap_or_default().to_owned(),
            (_, "csv") => columns_hidden(out),
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
            "latency_ms" | "memory_bytes" | "expires_in_ms" => "<number>",
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

/// Of all that Redis tells of itself, what is the same everywhere.
fn some_of_redis(out: &str, format: &str) -> String {
    const NAMES: [&str; 3] = ["cluster_enabled", "maxmemory_policy", "role"];
    if matches!(format, "json" | "yaml") {
        let mut rows: Vec<Value> = serde_norway::from_str(out).unwrap();
        rows.retain(|row| NAMES.iter().any(|name| row["name"] == *name));
        return match format {
            "json" => serde_json::to_string_pretty(&rows).unwrap(),
            _ => serde_norway::to_string(&rows).unwrap(),
        };
    }
    let is_kept = |(at, line): &(usize, &str)| {
        let name = line.split([' ', ',']).next().unwrap_or_default();
        let name = name.trim_start_matches("{\"name\":").trim_matches('"');
        (*at == 0 && format != "jsonl") || NAMES.contains(&name)
    };
    let kept = out.lines().enumerate().filter(is_kept).map(|(_, line)| line);
    kept.collect::<Vec<_>>().join("\n")
}
