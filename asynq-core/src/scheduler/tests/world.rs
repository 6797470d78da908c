//! [`World`]: a store in which nothing is run, so that every task that was enqueued is still there.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::broker::MemoryBroker;
use crate::broker::conformance::{Dump, Value};
use crate::client::Client;
use crate::clock::Clock;
use crate::job::IntoTask;
use crate::scheduler::{PeriodicTask, Scheduler, SchedulerBuilder};
use crate::task::Task;
use crate::wire::{SchedulerEntry, TICK_HEADER, TaskMessage};

/// The store, at first at the beginning of 2026.
pub(super) struct World {
    pub(super) broker: MemoryBroker,
    pub(super) client: Client,
}

impl World {
    pub(super) fn new() -> Self {
        Self::at("2026-01-01T00:00:00Z")
    }

    pub(super) fn at(start: &str) -> Self {
        let broker = MemoryBroker::new(Clock::with_tokio_time(start.parse().unwrap()));
        Self { client: Client::new(Arc::new(broker.clone())), broker }
    }

    /// A client whose clock is ahead by this many seconds.
    pub(super) fn ahead(&self, seconds: i64) -> Client {
        let clock = Clock::with_tokio_time(self.now() + jiff::SignedDuration::from_secs(seconds));
        Client::new(Arc::new(self.broker.with_clock(clock)))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.client.broker().clock().now()
    }

    /// A scheduler that has started, with these periodic tasks.
    pub(super) fn started(&self, tasks: impl IntoIterator<Item = PeriodicTask>) -> Scheduler {
        start(Scheduler::builder(&self.client), tasks)
    }

    fn dump(&self) -> Dump {
        self.broker.dump()
    }

    /// The times of the ticks whose tasks are in the queue `default`, in order.
    pub(super) fn ticks(&self) -> Vec<String> {
        self.tasks().into_iter().map(|task| task.headers[TICK_HEADER].clone()).collect()
    }

    /// The tasks in the queue `default`, in order.
    pub(super) fn tasks(&self) -> Vec<TaskMessage> {
        let dump = self.dump();
        let mut ids = dump.list("asynq:{default}:pending");
        ids.reverse();
        ids.iter()
            .map(|id| {
                let hash = dump.hash(&format!("asynq:{{default}}:t:{id}"));
                TaskMessage::decode(hash["msg"].clone()).unwrap()
            })
            .collect()
    }

    /// What tools see of a scheduler.
    pub(super) fn published(&self, scheduler: &Scheduler) -> Vec<SchedulerEntry> {
        match self.dump().entries.remove(&format!("asynq:schedulers:{{{}}}", scheduler.id())) {
            Some(entry) => match entry.value {
                Value::List(entries) => {
                    entries.into_iter().map(|entry| SchedulerEntry::decode(entry).unwrap()).collect()
                }
                other => panic!("{other:?}"),
            },
            None => Vec::new(),
        }
    }

    /// How many events are in an entry's history.
    pub(super) fn events(&self, entry: &str) -> usize {
        self.dump().zset(&format!("asynq:scheduler_history:{entry}")).len()
    }
}

pub(super) fn start(builder: SchedulerBuilder, tasks: impl IntoIterator<Item = PeriodicTask>) -> Scheduler {
    let scheduler = builder.build().unwrap();
    for task in tasks {
        scheduler.register(task).unwrap();
    }
    scheduler.start().unwrap();
    scheduler
}

pub(super) fn task() -> impl IntoTask {
    Task::new("t", "{}").unwrap()
}

pub(super) fn periodic(spec: &str) -> PeriodicTask {
    PeriodicTask::new(spec, task())
}

/// Lets time pass, and all that is due happen.
pub(super) async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds) + Duration::from_millis(500)).await;
}

/// Every tick from one time to another, this many seconds apart.
pub(super) fn every(seconds: i64, from: &str, to: &str) -> Vec<String> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
    let step = usize::try_from(seconds).unwrap();
    (from.as_second()..=to.as_second())
        .step_by(step)
        .map(|at| Timestamp::from_second(at).unwrap().to_string())
        .collect()
}
