//! [`Load`]: producers and workers at work.

use std::time::{Duration, Instant};

use asynq_core::client::Client;

use super::audit::Audit;
use super::ledger::Ledger;
use super::producers::Producers;
use super::worker::Worker;
use crate::{Child, eventually_within};

/// How many runs must end before work has gone on.
const RESUMED: usize = 20;

/// Producers and workers at work until [`end`](Self::end).
#[derive(Debug)]
pub struct Load {
    client: Client,
    ledger: Ledger,
    producers: Producers,
    workers: Vec<Worker>,
    deleted_until: Option<Instant>,
    resumed: Duration,
}

impl Load {
    /// For each client a server on these queues, and a producer for each of them. Tasks end at once.
    pub async fn start(clients: &[Client], queues: &[&'static str]) -> Self {
        let mut load = Self::produce(clients, queues, Duration::ZERO);
        for client in clients {
            let server = Worker::builder(client, &load.ledger, queues).start().await.unwrap();
            load.workers.push(Worker::Server(Box::new(server)));
        }
        load
    }

    /// Producers alone: workers are [added](Self::add). The first client also looks what became of the tasks.
    pub fn produce(clients: &[Client], queues: &[&'static str], takes: Duration) -> Self {
        Self {
            client: clients[0].clone(),
            ledger: Ledger::default(),
            producers: Producers::start(clients, queues, takes),
            workers: Vec::new(),
            deleted_until: None,
            resumed: Duration::ZERO,
        }
    }

    /// Adds a worker process; its number.
    pub fn add(&mut self, child: Child) -> usize {
        self.workers.push(Worker::Process(Box::new(child)));
        self.workers.len() - 1
    }

    /// Sends a signal to the worker process of this number.
    pub fn signal(&self, worker: usize, signal: &str) {
        match &self.workers[worker] {
            Worker::Process(child) => child.signal(signal),
            Worker::Server(_) => panic!("worker {worker} is no process"),
        }
    }

    /// Ends the worker process of this number by SIGTERM, which lets its tasks end.
    pub async fn retire(&mut self, worker: usize) {
        let Worker::Process(child) = &mut self.workers[worker] else {
            panic!("worker {worker} is no process")
        };
        child.signal("TERM");
        assert!(child.ended().await, "a worker that is told to stop ends well");
    }

    /// How many different tasks have run.
    pub fn done(&self) -> usize {
        self.read();
        self.ledger.tasks()
    }

    fn read(&self) {
        for worker in &self.workers {
            worker.read(&self.ledger);
        }
    }

    /// Waits until so many more tasks have run than by now.
    pub async fn more(&self, count: usize) {
        let wanted = self.done() + count;
        eventually_within(Duration::from_secs(90), "tasks go on being run", async || {
            (self.done() >= wanted).then_some(())
        })
        .await;
    }

    /// Waits until work goes on after a fault that is over by now; how long it took.
    pub async fn resume(&mut self) -> Duration {
        let begun = Instant::now();
        self.more(RESUMED).await;
        self.resumed = self.resumed.max(begun.elapsed());
        begun.elapsed()
    }

    /// All tasks that were sent until now are deleted by order: nobody misses them.
    pub fn forget(&mut self) {
        self.deleted_until = Some(Instant::now());
    }

    /// Ends producing, waits for what can still come, and counts.
    pub async fn end(self) -> Audit {
        let sent = self.producers.end().await;
        let (ledger, workers) = (&self.ledger, &self.workers);
        let look = || workers.iter().for_each(|worker| worker.read(ledger));
        let audit = Audit::take(&self.client, ledger, sent, self.deleted_until, look).await;
        for worker in self.workers {
            worker.shutdown(&self.ledger).await;
        }
        Audit { resumed: self.resumed, ..audit }
    }
}
