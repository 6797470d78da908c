//! [`System`]: a job library that is put through the same faults as ours.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use asynq::{Client, Task, TaskOptions};
use asynq_testkit::load::Ledger;
use asynq_testkit::{Child, GoPeer, eventually_within};
use tokio::process::Command;

use crate::process;

/// A library, with programs of its own that enqueue and work. All settings are its defaults but for 20 slots.
#[derive(Clone, Debug)]
pub(crate) enum System {
    Ours,
    /// The real hibiken/asynq; tasks are enqueued by our client, in Go's format.
    Go,
    /// Another one: its name, and the program in `bench/contenders`.
    Other(&'static str, PathBuf),
}

impl System {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours => "asynq for Rust",
            Self::Go => "Go asynq 0.26",
            Self::Other(name, _) => name,
        }
    }

    /// Stores tasks `0` to `count - 1`, each of which takes so long.
    pub(crate) async fn enqueue(&self, url: &str, count: usize, takes: Duration) {
        let millis = takes.as_millis();
        match self {
            Self::Ours | Self::Go => {
                let client = Client::connect(url).await.unwrap();
                let task_type = if matches!(self, Self::Go) {
                    format!("do:sleep={millis}")
                } else {
                    "load:done".to_owned()
                };
                let task = |id: usize| {
                    let payload = if matches!(self, Self::Go) { String::new() } else { millis.to_string() };
                    let options = TaskOptions::new().task_id(id.to_string());
                    Task::new(&task_type, payload).unwrap().options(options)
                };
                for stored in client.enqueue_all((0..count).map(task)).await {
                    stored.unwrap();
                }
            }
            Self::Other(_, program) => {
                let mut command = Command::new(program);
                command.args(["enqueue", url, &count.to_string(), &millis.to_string()]);
                assert!(Child::spawn(&mut command).ended().await, "{command:?} stores its tasks");
            }
        }
    }

    /// Starts a worker.
    pub(crate) async fn work(&self, url: &str) -> Child {
        match self {
            Self::Ours => process::spawn(url),
            Self::Go => {
                let defaults = ["--queues", "default=1", "--concurrency", "20", "--task-check-ms", "0"];
                GoPeer::new(url).serve(&[&defaults[..], &["--delayed-check-ms", "0"]].concat()).await
            }
            Self::Other(_, program) => Child::spawn(Command::new(program).args(["work", url])),
        }
    }

    /// Notes what a worker has printed since.
    fn read(&self, worker: &Child, ledger: &Ledger) {
        let lines = worker.take_lines();
        if !matches!(self, Self::Go) {
            return ledger.read(lines);
        }
        ledger.read(lines.iter().filter_map(|line| {
            let event: HashMap<String, serde_json::Value> = serde_json::from_str(line).ok()?;
            let step = match (event.get("event")?.as_str()?, event.get("outcome")) {
                ("start", _) => "begun",
                ("handled", Some(outcome)) if outcome == "ok" => "done",
                _ => return None,
            };
            Some(format!("{step} {}", event.get("id")?.as_str()?))
        }));
    }
}

/// A system's workers, and what they have run. One that ends by itself is started again, as a supervisor would.
pub(crate) struct Fleet {
    system: System,
    url: String,
    workers: Vec<Child>,
    retired: Vec<Child>,
    pub(crate) ledger: Ledger,
    pub(crate) restarts: usize,
}

impl Fleet {
    /// One worker, for the Redis at `url`.
    pub(crate) async fn start(system: &System, url: &str) -> Self {
        let mut fleet = Self {
            system: system.clone(),
            url: url.to_owned(),
            workers: Vec::new(),
            retired: Vec::new(),
            ledger: Ledger::default(),
            restarts: 0,
        };
        fleet.add().await;
        fleet
    }

    /// Starts one more.
    pub(crate) async fn add(&mut self) {
        self.workers.push(self.system.work(&self.url).await);
    }

    /// Sends the first a signal.
    pub(crate) fn signal(&self, signal: &str) {
        self.workers[0].signal(signal);
    }

    /// Kills the first.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.retired.push(self.workers.remove(0));
    }

    /// How many tasks have come to their end.
    pub(crate) async fn done(&mut self) -> usize {
        for worker in self.workers.iter().chain(&self.retired) {
            self.system.read(worker, &self.ledger);
        }
        let mut running = Vec::new();
        for mut worker in std::mem::take(&mut self.workers) {
            if worker.is_running() {
                running.push(worker);
            } else {
                self.restarts += 1;
                self.retired.push(worker);
                running.push(self.system.work(&self.url).await);
            }
        }
        self.workers = running;
        self.ledger.ended_tasks()
    }

    /// Waits until so many tasks have come to their end, while work goes on.
    pub(crate) async fn until(&mut self, count: usize) {
        eventually_within(Duration::from_secs(60), "tasks are run before the fault", async || {
            (self.done().await >= count).then_some(())
        })
        .await;
    }
}
