//! The Go program in `tests/gopeer`, which drives the real hibiken/asynq, as a child process.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tokio::process::Command;

use crate::encoding::hex;
use crate::go_program::built;
use crate::process::Child;

/// The real Go asynq on some Redis.
#[derive(Clone, Debug)]
pub struct GoPeer {
    program: PathBuf,
    url: String,
}

impl GoPeer {
    /// For the Redis at `url`. Builds the program if nobody has; `cargo xtask test` does so beforehand.
    pub fn new(url: &str) -> Self {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        Self { program: PROGRAM.get_or_init(|| built("tests/gopeer", "gopeer")).clone(), url: url.to_owned() }
    }

    /// Starts what reads JSON into a Go struct and prints it again (`gopeer json`). It needs no Redis.
    pub fn json(args: &[&str]) -> Child {
        Child::spawn(Command::new(Self::new("").program).arg("json").args(args))
    }

    fn command(&self, verb: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(verb).args(["--redis", &self.url]).args(args);
        command
    }

    /// Enqueues one task (a line of `gopeer enqueue`): the answer, which may be an error.
    pub async fn enqueue(&self, task: Value) -> Value {
        self.enqueue_all([task]).await.remove(0)
    }

    /// Enqueues tasks: an answer for each.
    pub async fn enqueue_all(&self, tasks: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let mut child = Child::spawn(&mut self.command("enqueue", &[]));
        let mut sent = 0;
        for task in tasks {
            child.send(&task.to_string()).await;
            sent += 1;
        }
        assert!(child.ended().await, "gopeer enqueue failed: {:?}", child.lines());
        crate::eventually("gopeer answers each task", async || (child.events().len() == sent).then_some(()))
            .await;
        child.events()
    }

    /// Starts a worker and waits until it is ready.
    pub async fn serve(&self, args: &[&str]) -> Child {
        let child = Child::spawn(self.command("serve", args).arg("--exit-on-stdin-eof"));
        child.event("gopeer is ready", |event| event["event"] == "ready").await;
        child
    }

    /// Starts a scheduler and waits until it is ready.
    pub async fn schedule(&self, args: &[&str]) -> Child {
        let child = Child::spawn(self.command("schedule", args).arg("--exit-on-stdin-eof"));
        child.event("gopeer is ready", |event| event["event"] == "ready").await;
        child
    }

    /// Acquires or releases a token of an `x/rate` semaphore as the handler of a task with this ID: the answer, which
    /// may be an error.
    pub async fn semaphore(&self, verb: &str, scope: &str, max: u32, id: &str) -> Value {
        let max = max.to_string();
        output(&mut self.command("semaphore", &["--scope", scope, "--max", &max, "--id", id, verb])).await
    }

    /// A scrape of `x/metrics`: what Go's exporter tells Prometheus of the queues.
    pub async fn metrics(&self) -> String {
        let output = self.command("metrics", &[]).output().await.unwrap();
        assert!(output.status.success(), "gopeer metrics failed: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The whole database, as the vectors show it.
    pub async fn dump(&self) -> Value {
        output(&mut self.command("dump", &[])).await
    }

    /// Runs vector cases of these suites on this Redis, which it flushes, and writes what Go does to a folder.
    pub async fn vectors(&self, folder: &Path, suites: &str) {
        let folder = folder.to_str().unwrap();
        output(&mut self.command("vectors", &["--flush-ok", "--out", folder, "--only", suites])).await;
    }

    /// What Go reads from protobuf bytes (of a `task`, `server`, `worker`, `entry` or `event`), or an error.
    pub async fn decode(&self, kind: &str, bytes: &[u8]) -> Value {
        output(Command::new(&self.program).args(["decode", "-kind", kind, &hex(bytes)])).await
    }

    /// Asks the inspector, as JSON: the answer, which may be an error.
    pub async fn ask(&self, request: &Value) -> Value {
        let mut child = Child::spawn(&mut self.command("inspect", &["-"]));
        child.send(&request.to_string()).await;
        assert!(child.ended().await, "gopeer inspect failed: {:?}", child.lines());
        crate::eventually("gopeer answers", async || (!child.events().is_empty()).then_some(())).await;
        child.events().remove(0)
    }

    /// Asks the inspector: the answer, which may be an error.
    pub async fn inspect(&self, args: &[&str]) -> Value {
        output(&mut self.command("inspect", args)).await
    }
}

/// The one answer that a command prints.
async fn output(command: &mut Command) -> Value {
    let output = command.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(text.trim()).unwrap_or_else(|error| {
        panic!("{command:?}: {error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}
