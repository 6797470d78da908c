//! [`Load`]: tasks that are enqueued and run all the time, and what became of each of them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynq::{Client, Ctx, Error, Router, Server, Task, TaskOptions};
use asynq_testkit::eventually_within;
use tokio::task::JoinSet;

/// Producers and workers at work. Every task has an ID of its own and is done when its handler has returned.
pub(crate) struct Load {
    ran: Arc<Mutex<HashMap<String, usize>>>,
    producers: JoinSet<Sent>,
    stop: Arc<AtomicBool>,
    servers: Vec<Server>,
}

/// What a producer was told.
#[derive(Default)]
struct Sent {
    /// The broker said that it has them.
    acknowledged: Vec<String>,
    /// Refusals and lost answers. Each task is enqueued again, under its ID, until it is stored.
    failures: usize,
    /// The longest time that one task took to be stored.
    longest: Duration,
}

/// What came of it all.
#[derive(Debug)]
pub(crate) struct Audit {
    pub(crate) acknowledged: usize,
    pub(crate) lost: Vec<String>,
    pub(crate) ran_again: usize,
    pub(crate) failures: usize,
    pub(crate) longest: Duration,
}

impl Load {
    /// Producers and workers on these queues.
    pub(crate) async fn start(clients: &[Client], queues: &[&'static str]) -> Self {
        let ran = Arc::new(Mutex::new(HashMap::new()));
        let mut servers = Vec::new();
        for client in clients {
            let counted = Arc::clone(&ran);
            let router = Router::new()
                .route("t", move |ctx: Ctx| {
                    let counted = Arc::clone(&counted);
                    async move {
                        *counted.lock().unwrap().entry(ctx.task_id().to_string()).or_insert(0) += 1;
                    }
                })
                .unwrap();
            let server = Server::builder(client)
                .router(router)
                .queues(queues.iter().map(|&queue| (queue, 1)))
                .concurrency(20)
                .start();
            servers.push(server.await.unwrap());
        }
        let (stop, mut producers) = (Arc::<AtomicBool>::default(), JoinSet::new());
        for (number, client) in clients.iter().enumerate() {
            for &queue in queues {
                let name = format!("{number}-{queue}");
                producers.spawn(produce(client.clone(), queue, name, Arc::clone(&stop)));
            }
        }
        Self { ran, producers, stop, servers }
    }

    /// How many different tasks have run.
    pub(crate) fn done(&self) -> usize {
        self.ran.lock().unwrap().len()
    }

    /// Waits until so many more tasks have run than by now.
    pub(crate) async fn more(&self, count: usize) {
        let wanted = self.done() + count;
        eventually_within(Duration::from_secs(90), "tasks go on being run", async || {
            (self.done() >= wanted).then_some(())
        })
        .await;
    }

    /// Ends producing, waits for what can still come, and counts.
    pub(crate) async fn end(mut self) -> Audit {
        self.stop.store(true, Ordering::Relaxed);
        let (mut acknowledged, mut failures, mut longest) = (Vec::new(), 0, Duration::ZERO);
        while let Some(sent) = self.producers.join_next().await {
            let sent = sent.unwrap();
            acknowledged.extend(sent.acknowledged);
            failures += sent.failures;
            longest = longest.max(sent.longest);
        }
        // Nothing tells that a task is lost but that it does not come: until nothing has come for a while.
        let (mut seen, mut since) = (0, Instant::now());
        eventually_within(Duration::from_secs(120), "no more tasks come", async || {
            let ran = self.ran.lock().unwrap();
            if acknowledged.iter().all(|id| ran.contains_key(id)) {
                return Some(());
            }
            if ran.len() != seen {
                (seen, since) = (ran.len(), Instant::now());
            }
            // What a dead worker held comes back after its lease, at the latest.
            (since.elapsed() > Duration::from_secs(40)).then_some(())
        })
        .await;
        for server in self.servers {
            server.shutdown().await;
        }
        let ran = self.ran.lock().unwrap();
        let unique: HashSet<&String> = acknowledged.iter().collect();
        Audit {
            acknowledged: unique.len(),
            lost: acknowledged.iter().filter(|id| !ran.contains_key(*id)).cloned().collect(),
            ran_again: ran.values().map(|runs| runs - 1).sum(),
            failures,
            longest,
        }
    }
}

async fn produce(client: Client, queue: &'static str, name: String, stop: Arc<AtomicBool>) -> Sent {
    let mut sent = Sent::default();
    for number in 0.. {
        let id = format!("{name}-{number}");
        let begun = Instant::now();
        loop {
            let options = TaskOptions::new().queue(queue).task_id(&id);
            match client.enqueue(Task::new("t", "").unwrap().options(options)).await {
                // Somebody stored it: this producer, whose answer was lost.
                Ok(_) | Err(Error::TaskIdConflict { .. }) => break,
                Err(_) => sent.failures += 1,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        sent.longest = sent.longest.max(begun.elapsed());
        sent.acknowledged.push(id);
        if stop.load(Ordering::Relaxed) {
            return sent;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    sent
}
