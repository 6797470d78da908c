//! [`Schedules`] on Redis.

use std::time::Duration;

use async_trait::async_trait;
use redis::Value;

use super::RedisBroker;
use super::script::{Call, LONGEST_TTL, Name};
use crate::broker::{BrokerError, EnqueueError, HISTORY_LIMIT, NewTask, Schedules, TICK_AGE, Tick, Ticked};
use crate::task::QueueName;
use crate::wire::{SchedulerEnqueueEvent, SchedulerEntry};

#[async_trait]
impl Schedules for RedisBroker {
    async fn enqueue_tick(&self, tick: &Tick, task: &NewTask) -> Result<Ticked, EnqueueError> {
        self.enqueue_ticked(tick, task).await
    }

    async fn tick_mark(&self, queue: &QueueName, entry: &str, since: i64) -> Result<i64, BrokerError> {
        let key = self.keyspace.queue(queue).ticks();
        let mut pipe = redis::pipe();
        pipe.cmd("ZADD").arg(&key).arg("NX").arg(since).arg(entry);
        pipe.cmd("EXPIRE").arg(&key).arg(TICK_AGE.as_secs());
        pipe.cmd("ZSCORE").arg(&key).arg(entry);
        let (_, _, mark): (Value, Value, i64) =
            self.shared.query_each("read the mark of an entry", &pipe).await?;
        Ok(mark)
    }

    async fn write_scheduler_entries(
        &self,
        scheduler_id: &str,
        entries: &[SchedulerEntry],
        ttl: Duration,
    ) -> Result<(), BrokerError> {
        const DOING: &str = "write the scheduler's entries";
        let (key, ttl) = (self.keyspace.scheduler_entries(scheduler_id), seconds(ttl));
        self.shared
            .query::<()>(
                DOING,
                redis::cmd("ZADD").arg(self.keyspace.schedulers()).arg(self.now_seconds() + ttl).arg(&key),
            )
            .await?;
        let mut call = Call::new(Name::write_scheduler_entries, [key]);
        call.arg(ttl);
        for entry in entries {
            call.arg(entry.encode());
        }
        call.run(&self.shared, DOING).await.map(drop)
    }

    async fn clear_scheduler_entries(&self, scheduler_id: &str) -> Result<(), BrokerError> {
        let key = self.keyspace.scheduler_entries(scheduler_id);
        let mut pipe = redis::pipe();
        pipe.cmd("ZREM").arg(self.keyspace.schedulers()).arg(&key);
        pipe.cmd("DEL").arg(&key);
        self.shared.query_each::<Value>("clear the scheduler's entries", &pipe).await.map(drop)
    }

    async fn record_enqueue_event(
        &self,
        entry: &str,
        event: &SchedulerEnqueueEvent,
        keep: Duration,
    ) -> Result<(), BrokerError> {
        let at = event.enqueue_time.as_ref().map_or_else(|| self.now_seconds(), |at| at.seconds);
        let mut call = Call::new(Name::record_enqueue_event, [self.keyspace.scheduler_history(entry)]);
        call.arg(at).arg(event.encode()).arg(HISTORY_LIMIT).arg(seconds(keep));
        call.run(&self.shared, "record an enqueue event").await.map(drop)
    }

    async fn clear_scheduler_history(&self, entry: &str) -> Result<(), BrokerError> {
        let key = self.keyspace.scheduler_history(entry);
        self.shared.query("clear an entry's history", redis::cmd("DEL").arg(key)).await
    }
}

/// A time to live as Redis counts it: whole seconds, none of which is no time at all.
fn seconds(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).clamp(1, LONGEST_TTL)
}
