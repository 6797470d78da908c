//! [`produce`]: enqueues tasks of every kind, and again where it does not know whether they are stored. A task that has
//! ended meanwhile is stored anew, and lives again.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;

use super::{DistantBroker, Event, Link};
use crate::broker::MemoryBroker;
use crate::client::Client;
use crate::error::Error;
use crate::task::{Task, TaskOptions};

/// Enqueues so many tasks through this link.
pub(super) async fn produce(store: MemoryBroker, link: Arc<Link>, tasks: usize, mut rng: Rng) {
    let history = link.history.clone();
    let client = Client::new(Arc::new(DistantBroker { store, link }));
    for number in 0..tasks {
        sleep(Duration::from_millis(if rng.bool() { 0 } else { rng.u64(..4_000) })).await;
        let id = format!("t{number}");
        let task = task(&id, &mut rng);
        loop {
            match client.enqueue(task.clone()).await {
                // It may have been stored by an attempt whose answer was lost.
                Ok(_) | Err(Error::TaskIdConflict { .. }) => {
                    history.note(Event::Acknowledged { id });
                    break;
                }
                Err(Error::DuplicateTask { holder, .. }) if holder == id => {
                    history.note(Event::Acknowledged { id });
                    break;
                }
                Err(Error::DuplicateTask { .. }) => break,
                Err(_) => sleep(Duration::from_millis(500)).await,
            }
        }
    }
}

fn task(id: &str, rng: &mut Rng) -> Task {
    let seconds = Duration::from_secs;
    let mut options =
        TaskOptions::new().task_id(id).queue(["q0", "q1"][rng.usize(..2)]).max_retry(rng.u32(..4));
    if rng.u8(..4) == 0 {
        options = options.process_in(seconds(rng.u64(1..40)));
    }
    if rng.u8(..4) == 0 {
        options = options.timeout(seconds(rng.u64(1..30)));
    }
    if rng.u8(..4) == 0 {
        options = options.retention(seconds(rng.u64(10..200)));
    }
    let mut payload = id.to_owned();
    if rng.u8(..4) == 0 {
        // A payload of its own for three tasks or so: some are duplicates.
        payload = format!("p{}", rng.u8(..6));
        options = options.unique(seconds(rng.u64(20..2_000)));
    }
    Task::new("t", payload).expect("a type").options(options)
}
