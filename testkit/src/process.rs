//! Child processes that do not outlive their test.

use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::eventually_within;

/// A child process whose lines are read as they come, JSON objects as such. Killed when dropped.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    stdin: Option<tokio::process::ChildStdin>,
    lines: Arc<Mutex<Vec<String>>>,
    _readers: JoinSet<()>,
}

impl Child {
    /// Starts a command.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let mut readers = JoinSet::new();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let seen = Arc::clone(&lines);
        readers.spawn(async move {
            let mut out = BufReader::new(out).lines();
            while let Ok(Some(line)) = out.next_line().await {
                seen.lock().unwrap().push(line);
            }
        });
        readers.spawn(async move {
            let mut err = BufReader::new(err).lines();
            while let Ok(Some(line)) = err.next_line().await {
                // Shown with a failing test's output.
                println!("[child] {line}");
            }
        });
        let stdin = child.stdin.take();
        Self { process: child, stdin, lines, _readers: readers }
    }

    /// Starts this test binary again, to run one test alone: with this variable it is told what to be.
    pub fn this_test(test: &str, variable: &str, value: impl AsRef<OsStr>) -> Self {
        Self::spawn(
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture", "--test-threads", "1"])
                .env(variable, value),
        )
    }

    /// What it printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// What it printed since this was last asked.
    pub fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }

    /// Its resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let pid = self.process.id().expect("child has ended");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// The JSON lines that it printed so far.
    pub fn events(&self) -> Vec<Value> {
        self.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until it prints a line that `wanted` accepts.
    pub async fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually_within(Duration::from_secs(60), what, async || {
            self.lines().into_iter().find(|line| wanted(line))
        })
        .await
    }

    /// Waits until it prints a JSON line that `wanted` accepts.
    pub async fn event(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually_within(Duration::from_secs(60), what, async || {
            self.events().into_iter().find(|event| wanted(event))
        })
        .await
    }

    /// Writes a line to its standard input.
    pub async fn send(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.process.id().expect("child has ended").to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success(), "kill -s {name} {pid}");
    }

    /// Kills it, as a crash would, and waits until it is gone.
    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Waits for its end: whether it ended well.
    pub async fn ended(&mut self) -> bool {
        drop(self.stdin.take());
        tokio::time::timeout(Duration::from_secs(60), self.process.wait())
            .await
            .expect("child does not end")
            .unwrap()
            .success()
    }
}
