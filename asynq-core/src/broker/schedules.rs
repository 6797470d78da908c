//! [`Schedules`]: what schedulers need of a broker: ticks that happen once, and what their tools show.

use std::time::Duration;

use async_trait::async_trait;

use super::{BrokerError, EnqueueError, NewTask};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry};

/// How many events the history of an entry keeps, as in Go.
pub const HISTORY_LIMIT: usize = 1_000;

/// How long the last tick of an entry is remembered after it.
pub const TICK_AGE: Duration = Duration::from_secs(400 * 24 * 3600);

/// What schedulers need of a broker.
#[async_trait]
pub trait Schedules {
    /// Stores the task of a tick, unless its entry has had this tick or a later one: any number of schedulers may try,
    /// in any order and with any clock, and one succeeds. A tick whose task is refused, as a duplicate say, has had its
    /// turn too.
    async fn enqueue_tick(&self, tick: &Tick, task: &NewTask) -> Result<Ticked, EnqueueError>;

    /// Up to which Unix second the ticks of an entry are dealt with in this queue: that of its last tick. An entry that
    /// is new here begins with `since`, which is noted.
    async fn tick_mark(&self, queue: &QueueName, entry: &str, since: i64) -> Result<i64, BrokerError>;

    /// Publishes a scheduler's entries for inspectors, for `ttl`.
    async fn write_scheduler_entries(
        &self,
        scheduler_id: &str,
        entries: &[SchedulerEntry],
        ttl: Duration,
    ) -> Result<(), BrokerError>;

    /// Removes a scheduler's entries.
    async fn clear_scheduler_entries(&self, scheduler_id: &str) -> Result<(), BrokerError>;

    /// Adds to an entry's history, which keeps the newest 1,000 events and goes away `keep` after the last of them.
    async fn record_enqueue_event(
        &self,
        entry: &str,
        event: &SchedulerEnqueueEvent,
        keep: Duration,
    ) -> Result<(), BrokerError>;

    /// Removes an entry's history.
    async fn clear_scheduler_history(&self, entry: &str) -> Result<(), BrokerError>;
}

/// An instant at which a scheduler entry is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The entry's ID.
    pub entry: String,
    /// The instant, Unix seconds.
    pub at: i64,
}

/// What became of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticked {
    /// Its task is stored.
    Enqueued,
    /// The entry has had it, or a later one: nothing was changed.
    Passed,
}
