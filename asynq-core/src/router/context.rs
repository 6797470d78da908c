//! [`Ctx`]: what a handler knows about the task it runs.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{BadPayload, BoxError};
use crate::client::Client;
use crate::error::Result;
use crate::job::{self, CodecError, Job};
use crate::task::{Headers, QueueName, TaskId, TaskInfo, TaskState};
use crate::wire::{TICK_HEADER, TaskMessage};

/// What a handler knows about the task it runs, and the way to enqueue others. Cheap to clone.
///
/// A job takes it as a parameter of type `Ctx` or `&Ctx`.
#[derive(Clone)]
pub struct Ctx(Arc<CtxParts>);

/// Everything in a [`Ctx`].
pub(crate) struct CtxParts {
    pub(crate) id: TaskId,
    pub(crate) queue: QueueName,
    pub(crate) message: Arc<TaskMessage>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) cancellation: CancellationToken,
    pub(crate) states: Arc<StateMap>,
    pub(crate) client: Client,
    /// Ends with the function of a job that blocks its thread, if this is one.
    pub(crate) blocking: OnceLock<CancellationToken>,
}

/// The values that handlers share, one of each type.
#[derive(Debug, Default)]
pub(crate) struct StateMap(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl StateMap {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
    }

    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    pub(crate) fn contains(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }
}

impl Ctx {
    pub(crate) fn new(parts: CtxParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The context of a task as it is stored: its payload is opened.
    pub(crate) fn opening(mut parts: CtxParts) -> std::result::Result<Self, BoxError> {
        match parts.client.stores_payloads().open(&parts.message) {
            Ok(None) => {}
            Ok(Some(opened)) => parts.message = Arc::new(opened),
            Err(error) => {
                return Err(BadPayload::new(parts.message.task_type.clone(), CodecError::new(error)).into());
            }
        }
        Ok(Self::new(parts))
    }

    /// Notes that a thread begins to work on this run, until what this returns is dropped.
    pub(super) fn begin_blocking(&self) -> DropGuard {
        self.0.blocking.get_or_init(CancellationToken::new).clone().drop_guard()
    }

    /// Waits until no thread works on this run any more; at once for one that never had any.
    pub(crate) async fn blocking_ended(&self) {
        if let Some(working) = self.0.blocking.get() {
            working.cancelled().await;
        }
    }

    /// The task's ID.
    pub fn task_id(&self) -> &TaskId {
        &self.0.id
    }

    /// The task's type.
    pub fn task_type(&self) -> &str {
        &self.0.message.task_type
    }

    /// The queue it came from.
    pub fn queue(&self) -> &QueueName {
        &self.0.queue
    }

    /// The payload, as it was before it was [compressed or encrypted](crate::payload::Payloads).
    pub fn payload(&self) -> &Bytes {
        &self.0.message.payload
    }

    /// The payload as a job: of the version that the task says it is, which may be an [earlier](Job::EARLIER) one. What
    /// the handler of a `#[job]` is given; for handlers that are made by hand.
    ///
    /// # Errors
    ///
    /// [`BadPayload`] when it is not a payload of this job, or of a version that this program does not read. Returned by a
    /// handler, it archives the task, unless the server is told [otherwise](crate::server::BadPayloads).
    pub fn job<J: Job>(&self) -> std::result::Result<J, BadPayload> {
        job::read(self.payload(), self.headers()).map_err(|error| BadPayload::new(J::NAME, error))
    }

    /// The task's headers.
    pub fn headers(&self) -> &Headers {
        &self.0.message.headers
    }

    /// The group that it waits in or came from, if any. In an aggregator, the group at hand.
    pub fn group(&self) -> Option<&str> {
        Some(self.0.message.group_key.as_str()).filter(|group| !group.is_empty())
    }

    /// When the tick was due that a scheduler enqueued this task for; nothing for a task that was enqueued otherwise,
    /// also by a scheduler of Go's. A task that is retried keeps its time.
    pub fn scheduled_for(&self) -> Option<Timestamp> {
        self.headers().get(TICK_HEADER)?.parse().ok()
    }

    /// How often this task was retried before: 0 on the first attempt.
    pub fn retried(&self) -> i32 {
        self.0.message.retried
    }

    /// How often this task may be retried.
    pub fn max_retry(&self) -> i32 {
        self.0.message.retry
    }

    /// The key of the uniqueness lock that the task holds, if any.
    pub fn unique_key(&self) -> Option<&str> {
        Some(self.0.message.unique_key.as_str()).filter(|key| !key.is_empty())
    }

    /// All that is stored of the task, as it was when this attempt began: also its last error, its retention, its time
    /// limit and its deadline as they were asked for. It is copied each time.
    pub fn info(&self) -> TaskInfo {
        TaskInfo {
            id: self.task_id().clone(),
            queue: self.queue().clone(),
            ..TaskInfo::stored(&self.0.message, TaskState::Active)
        }
    }

    /// When this attempt must end, by its timeout or its deadline.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.0.deadline
    }

    /// Whether this attempt should stop: it was cancelled, ran out of time, or lost its lease.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancellation.is_cancelled()
    }

    /// Waits until this attempt should stop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn cancelled(&self) {
        self.0.cancellation.cancelled().await;
    }

    /// A client on the broker that the task came from: jobs may enqueue jobs.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Stores a result with the task now, replacing an earlier one. What a handler returns is stored by itself;
    /// this is for results that should be seen before the end. Without retention it goes with the task.
    ///
    /// # Errors
    ///
    /// When the broker does not take it, or the task no longer exists ([`Error::TaskNotFound`](crate::Error)).
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the result may or may not be stored.
    pub async fn write_result(&self, result: impl Into<Bytes>) -> Result<()> {
        let stored =
            self.0.client.broker().write_result(self.queue(), self.task_id(), &result.into()).await?;
        if stored {
            Ok(())
        } else {
            Err(crate::Error::TaskNotFound { queue: self.queue().clone(), id: self.task_id().clone() })
        }
    }

    /// The shared value of a type, if the server was given one.
    pub fn state<T: 'static>(&self) -> Option<&T> {
        self.0.states.get()
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Payload and headers may be private: their sizes only.
        f.debug_struct("Ctx")
            .field("task_id", &self.0.id)
            .field("task_type", &self.0.message.task_type)
            .field("queue", &self.0.queue)
            .field("payload_bytes", &self.0.message.payload.len())
            .field("headers", &self.0.message.headers.len())
            .field("retried", &self.0.message.retried)
            .field("max_retry", &self.0.message.retry)
            .field("deadline", &self.0.deadline)
            .finish_non_exhaustive()
    }
}
