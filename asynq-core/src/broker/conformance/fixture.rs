//! [`Fixture`]: a broker under test, with a view into its store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::Dump;
use crate::broker::Broker;
use crate::clock::Clock;
use crate::task::{QueueName, TaskId};

/// A broker under test, with a view into its store. Each case gets a fixture whose store is empty.
///
/// On Redis the clock starts at the real time, since Redis expires keys by its own clock, and from then on
/// stands still between calls of [`advance`](Self::advance).
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The broker; always the same store.
    fn broker(&self) -> Arc<dyn Broker>;

    /// A broker on the same store as a machine has it whose clock is another one.
    async fn broker_with_clock(&self, clock: Clock) -> Arc<dyn Broker>;

    /// The broker's clock: a manual one.
    fn clock(&self) -> Clock;

    /// Moves the clock forward, and the expiry of keys with it: what was stored with a time to live (locks, the
    /// state of servers) has that much less left, or is gone. The daily counters, which expire at an instant of
    /// the clock, are gone once that is reached.
    async fn advance(&self, by: Duration);

    /// Everything that is stored, as it is.
    async fn dump(&self) -> Dump;

    /// Breaks the store behind the broker's back.
    async fn corrupt(&self, corruption: Corruption);
}

/// What to change behind the broker's back. Each is one raw Redis command, on keys under the broker's keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// `RPUSH <pending> id`: the ID is next to be taken, whether or not it has a task.
    PushPending {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// `LPUSH <active> id`: no lease, no task.
    PushActive {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// `ZADD <lease> until id`: also for an ID that is not active.
    SetLease {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// The end of the lease, Unix seconds.
        until: i64,
    },
    /// `ZREM <lease> id`.
    RemoveLease {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// `ZADD <archived> at id`: the ID is archived, whether or not it has a task.
    AddArchived {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// When it was archived, Unix seconds.
        at: i64,
    },
    /// `DEL <task>`: the ID stays where it is.
    DeleteTask {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
    },
    /// `HSET <task> field value`: `msg` with bytes that are no message, say. Makes the hash if there is none.
    SetField {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// The field.
        field: String,
        /// The bytes.
        value: Bytes,
    },
    /// `HDEL <task> field`: without `x_run` and `x_own`, an active task looks like a Go worker's.
    RemoveField {
        /// The queue.
        queue: QueueName,
        /// The ID.
        id: TaskId,
        /// The field.
        field: String,
    },
    /// `SET <processed> value`: the number of tasks processed since ever.
    SetProcessedTotal {
        /// The queue.
        queue: QueueName,
        /// The number.
        value: i64,
    },
    /// `SET <failed> value`: the number of failed attempts since ever.
    SetFailedTotal {
        /// The queue.
        queue: QueueName,
        /// The number.
        value: i64,
    },
    /// `SREM <groups> group`: as Go leaves a group whose tasks it put back.
    ForgetGroup {
        /// The queue.
        queue: QueueName,
        /// The group.
        group: String,
    },
    /// `SREM asynq:queues queue`: as if another process had removed the queue.
    ForgetQueue {
        /// The queue.
        queue: QueueName,
    },
}
