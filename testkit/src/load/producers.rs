//! [`Producers`]: who enqueues all the time, and what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use asynq_core::Error;
use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use tokio::task::JoinSet;

/// Tasks without end, each under an ID of its own. One that is refused, or whose answer is lost, is enqueued again
/// under its ID until it is stored.
#[derive(Debug)]
pub struct Producers {
    all: JoinSet<Sent>,
    stop: Arc<AtomicBool>,
}

/// What producers were told.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// The broker said that it has these; and when they were first sent.
    pub(super) acknowledged: Vec<(String, Instant)>,
    /// Refusals and lost answers.
    pub(super) failures: usize,
    /// The longest time that one task took to be stored.
    pub(super) longest: Duration,
}

impl Producers {
    /// One for each client and queue, which sends a task every few milliseconds that takes so long to run.
    pub fn start(clients: &[Client], queues: &[&'static str], takes: Duration) -> Self {
        let (stop, mut all) = (Arc::<AtomicBool>::default(), JoinSet::new());
        for (number, client) in clients.iter().enumerate() {
            for &queue in queues {
                let name = format!("{number}-{queue}");
                all.spawn(produce(client.clone(), queue, name, takes, Arc::clone(&stop)));
            }
        }
        Self { all, stop }
    }

    /// Waits until each has stored its last task.
    pub(super) async fn end(mut self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        while let Some(sent) = self.all.join_next().await {
            let sent = sent.unwrap();
            all.acknowledged.extend(sent.acknowledged);
            all.failures += sent.failures;
            all.longest = all.longest.max(sent.longest);
        }
        all
    }
}

async fn produce(
    client: Client,
    queue: &'static str,
    name: String,
    takes: Duration,
    stop: Arc<AtomicBool>,
) -> Sent {
    let mut sent = Sent::default();
    for number in 0_usize.. {
        let id = format!("{name}-{number}");
        let begun = Instant::now();
        while let Err(error) = client.enqueue(task(number, queue, &id, takes)).await {
            // Somebody stored it: this producer, whose answer was lost.
            if matches!(error, Error::TaskIdConflict { .. }) {
                break;
            }
            sent.failures += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        sent.longest = sent.longest.max(begun.elapsed());
        sent.acknowledged.push((id, begun));
        if stop.load(Ordering::Relaxed) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    sent
}

/// Most succeed; some only when they are tried again, some never, and some are kept when they are done.
fn task(number: usize, queue: &str, id: &str, takes: Duration) -> Task {
    let task_type = match number {
        _ if number % 25 == 7 => "load:archived",
        _ if number % 10 == 3 => "load:retried",
        _ => "load:done",
    };
    let mut options = TaskOptions::new().queue(queue).task_id(id);
    if number % 5 == 1 {
        options = options.retention(Duration::from_secs(3_600));
    }
    Task::new(task_type, takes.as_millis().to_string()).unwrap().options(options)
}
