//! The command line as its users meet it: the program itself, on a real Redis.

mod care;
mod changing;
mod cluster;
mod configuration;
mod dash;
mod exporter;
mod finding;
mod formats;
mod go;
mod helping;
mod looking;
mod schedules;
mod snapshots;
mod terminal;
mod web;
mod world;

use std::io::Write;
use std::process::{Command, Stdio};

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::RedisServer;
use serde_json::Value;

/// What the program did.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// What it printed, as JSON.
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The program without any of this machine's settings.
fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asynq"));
    command.args(words).env_clear().env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// Runs the program on this Redis.
fn run(redis: &RedisServer, words: &[&str]) -> Ran {
    ended(program(words).env("ASYNQ_REDIS_URL", redis.url()))
}

/// The same; it must succeed.
fn done(redis: &RedisServer, words: &[&str]) -> Ran {
    let ran = run(redis, words);
    assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
    ran
}

fn with_input(redis: &RedisServer, words: &[&str], input: &str) -> Ran {
    let mut command = program(words);
    command
        .env("ASYNQ_REDIS_URL", redis.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    read(child.wait_with_output().unwrap())
}

fn ended(command: &mut Command) -> Ran {
    read(command.output().unwrap())
}

fn read(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A Redis that holds tasks in several states.
async fn seeded() -> (RedisServer, Client) {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    let inspector = Inspector::new(&client);
    let task = |id: &str, queue: &str, payload: &[u8]| {
        let options = TaskOptions::new().queue(queue).task_id(id).header("tenant", "acme");
        Task::new("email:send", payload.to_vec()).unwrap().options(options)
    };
    for (id, payload) in
        [("p1", r#"{"to":"ann","n":1}"#), ("p2", r#"{"to":"bob","n":2}"#), ("p3", "two\nlines, \"quoted\"")]
    {
        client.enqueue(task(id, "mail", payload.as_bytes())).await.unwrap();
    }
    client.enqueue(task("a1", "mail", &[0xff, 0])).await.unwrap();
    inspector.archive("mail", "a1").await.unwrap();
    let later = TaskOptions::new().queue("low").task_id("s1").process_in(std::time::Duration::from_secs(900));
    client.enqueue(Task::new("report", "x").unwrap().options(later)).await.unwrap();
    let grouped = TaskOptions::new().queue("low").task_id("g1").group("users");
    client.enqueue(Task::new("note", "{}").unwrap().options(grouped)).await.unwrap();
    (redis, client)
}
