//! [`Client`]: enqueues tasks.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use tracing::Span;
use tracing::field::Empty;

use super::plan::{Plan, plan};
use super::waiting::RunEnds;
use super::{Awaited, Enqueued, Wait};
#[cfg(feature = "redis")]
use crate::broker::redis::{ConnectOptions, RedisBroker};
use crate::broker::{Broker, BrokerError, EnqueueError, MemoryBroker, NewTask};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::job::IntoTask;
use crate::payload::{OpenError, Payloads};
use crate::task::{Headers, QueueName, RandomIds, Task, TaskId, TaskInfo};
use crate::telemetry::{Propagator, Traced};
use crate::wire::TaskMessage;

/// Enqueues tasks, and waits for them. Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct Client {
    broker: Arc<dyn Broker>,
    run_ends: Arc<RunEnds>,
    propagator: Option<Arc<dyn Propagator>>,
    payloads: Arc<Payloads>,
    /// Whether the store has taken tasks of ours.
    pub(super) has_stored: Arc<AtomicBool>,
}

/// Something that can enqueue: a [`Client`], or the [`Ctx`](crate::router::Ctx) of a running task.
pub trait AsClient {
    /// The client.
    fn as_client(&self) -> &Client;
}

impl AsClient for Client {
    fn as_client(&self) -> &Client {
        self
    }
}

impl<T: AsClient + ?Sized> AsClient for &T {
    fn as_client(&self) -> &Client {
        (**self).as_client()
    }
}

impl<T: AsClient + ?Sized> AsClient for Arc<T> {
    fn as_client(&self) -> &Client {
        (**self).as_client()
    }
}

impl AsClient for crate::router::Ctx {
    fn as_client(&self) -> &Client {
        self.client()
    }
}

impl Client {
    /// A client on a broker.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self {
            broker,
            run_ends: Arc::default(),
            propagator: None,
            payloads: Arc::default(),
            has_stored: Arc::default(),
        }
    }

    /// Lets the traces of those who enqueue go on where their tasks are run: by workers on this client as well, and in
    /// what their jobs enqueue. Default: none.
    #[must_use]
    pub fn propagator(mut self, propagator: impl Propagator) -> Self {
        self.propagator = Some(Arc::new(propagator));
        self
    }

    /// How payloads are stored, and workers on this client read them: compressed, encrypted, up to which size. Default:
    /// as they are.
    #[must_use]
    pub fn payloads(mut self, payloads: Payloads) -> Self {
        self.payloads = Arc::new(payloads);
        self
    }

    /// The payload of a task that was read from the store, as it was before it was compressed or encrypted.
    ///
    /// # Errors
    ///
    /// [`OpenError`], as a worker on this client would meet.
    pub fn open(&self, task: &TaskInfo) -> std::result::Result<Bytes, OpenError> {
        let stored = TaskMessage {
            task_type: task.task_type.as_str().to_owned(),
            id: task.id.as_str().to_owned(),
            payload: task.payload.clone(),
            headers: task.headers.clone(),
            ..TaskMessage::default()
        };
        Ok(self.payloads.open(&stored)?.unwrap_or(stored).payload)
    }

    /// The same client on another broker.
    pub(crate) fn on(self, broker: Arc<dyn Broker>) -> Self {
        Self { broker, run_ends: Arc::default(), ..self }
    }

    pub(crate) fn stores_payloads(&self) -> &Arc<Payloads> {
        &self.payloads
    }

    /// Connects to Redis and makes sure that it answers.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`] says which part of the URL is wrong; [`Error::Connect`] which address does not answer.
    /// Neither shows the password.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    #[cfg(feature = "redis")]
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(ConnectOptions::new(url)?).await
    }

    /// As [`connect`](Self::connect), with more to say than a URL can: certificates, timeouts, a prefix of keys.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect); and [`Error::InvalidSetting`] for an option that can never be right.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    #[cfg(feature = "redis")]
    pub async fn connect_with(options: ConnectOptions) -> Result<Self> {
        Ok(Self::new(Arc::new(RedisBroker::connect_with(options, Clock::system()).await?)))
    }

    /// As [`connect_with`](Self::connect_with), but it connects when it is first used, and at each use until it has: the
    /// program starts whether or not Redis is there. Until then every call fails.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`], and [`Error::InvalidSetting`] for an option that can never be right.
    #[cfg(feature = "redis")]
    pub fn connecting(options: ConnectOptions) -> Result<Self> {
        Ok(Self::new(Arc::new(RedisBroker::connecting(options, Clock::system())?)))
    }

    /// Connects to the Redis that `ASYNQ_REDIS_URL` names, or to the one on this machine.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    #[cfg(feature = "redis")]
    pub async fn from_env() -> Result<Self> {
        Self::connect(&crate::env::redis_url()?).await
    }

    /// A client on a fresh [`MemoryBroker`]: tasks stay in this process and end with it. For examples and tests
    /// without a Redis; a server on the same [`broker`](Self::broker) runs what is enqueued here.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::task::{Task, TaskState};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// let sent = client.enqueue(Task::new("email:send", r#"{"to":"a@example.com"}"#)?).await?;
    /// assert_eq!(sent.state, TaskState::Pending);
    ///
    /// let stored = client.broker().task_info(&sent.queue, &sent.id).await?;
    /// assert_eq!(stored.map(|task| task.payload), Some(sent.payload.clone()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_memory() -> Self {
        Self::new(Arc::new(MemoryBroker::new(Clock::system())))
    }

    /// The broker.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// What takes traces along, if anything.
    pub(crate) fn traces(&self) -> Option<&dyn Propagator> {
        self.propagator.as_deref()
    }

    pub(super) fn run_ends(&self) -> &Arc<RunEnds> {
        &self.run_ends
    }

    /// Waits for a task that anybody has enqueued: awaiting it gives what the job returns, or why there is nothing. For
    /// a task whose type is not known here, `wait::<Task>` gives the bytes of its result.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use asynq_core::client::{Client, WaitError};
    /// use asynq_core::task::Task;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// client.enqueue(Task::new("report", "")?).await?;
    /// let nobody = client.wait::<Task>("default", "some-id").await;
    /// assert!(matches!(nobody, Err(WaitError::Gone { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait<T: Awaited>(&self, queue: impl AsRef<str>, id: impl AsRef<str>) -> Wait<T> {
        let task = QueueName::new(queue).and_then(|queue| Ok((queue, TaskId::new(id)?)));
        Wait::new(self, task)
    }

    /// Enqueues one task and tells how it is stored.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] and [`Error::Codec`] before anything is sent; [`Error::DuplicateTask`],
    /// [`Error::TaskIdConflict`]; [`Error::Broker`] when the broker does not answer: then the task may or may not be
    /// stored.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the task may or may not be stored.
    pub async fn enqueue<T: IntoTask>(&self, task: T) -> Result<Enqueued<T>> {
        let Plan { new, info, span } = self.plan(task)?;
        let mut stored = self.broker.enqueue(std::slice::from_ref(&new)).await.into_iter();
        self.traced(&span, outcome(info, stored.next())).map(Enqueued::new)
    }

    /// What is to be stored for a group's tasks: in their queue, and under this ID unless the task has one.
    pub(crate) fn plan_aggregated(&self, mut task: Task, queue: &QueueName, id: TaskId) -> Result<NewTask> {
        task.options.queue = Some(queue.clone());
        task.options.task_id.get_or_insert(id);
        Ok(self.plan(task)?.new)
    }

    /// What is to be stored for one task, now.
    pub(super) fn plan(&self, task: impl IntoTask) -> Result<Plan> {
        self.plan_with(task, self.broker.clock().now(), &mut RandomIds::default())
    }

    /// The same for one of many.
    pub(super) fn plan_with(
        &self,
        task: impl IntoTask,
        now: jiff::Timestamp,
        ids: &mut RandomIds,
    ) -> Result<Plan> {
        let mut task = task.into_task()?;
        let Some(traces) = self.traces() else {
            return plan(task, &self.payloads, self.broker.keyspace(), now, ids);
        };
        let span = enqueue_span(traces, &mut task, ids);
        let mut headers = Headers::new();
        span.in_scope(|| traces.inject(&mut headers));
        headers.append(&mut task.headers);
        task.headers = headers;
        let planned = plan(task, &self.payloads, self.broker.keyspace(), now, ids);
        self.traced(&span, planned).map(|plan| Plan { span, ..plan })
    }

    /// A result; if it is an error, its span has failed.
    pub(super) fn traced<T>(&self, span: &Span, result: Result<T>) -> Result<T> {
        if let (Some(traces), Err(error)) = (self.traces(), &result) {
            traces.failed(span, error);
        }
        result
    }
}

/// The span in which a task is enqueued. It tells the ID, so the task is given one now.
fn enqueue_span(traces: &dyn Propagator, task: &mut Task, ids: &mut RandomIds) -> Span {
    let id = task.options.task_id.get_or_insert_with(|| ids.next()).as_str();
    let default = QueueName::default();
    let queue = task.options.queue.as_ref().unwrap_or(&default).as_str();
    let task_type = task.task_type.as_str();
    let span = tracing::info_span!(
        "enqueue",
        id,
        task_type,
        queue,
        passed = Empty,
        otel.name = Empty,
        otel.kind = Empty
    );
    traces.describe(&span, &Traced::Enqueue { queue, task_type, id });
    span
}

/// What the caller is told about a task, given what the broker said.
pub(super) fn outcome(info: TaskInfo, stored: Option<Result<(), EnqueueError>>) -> Result<TaskInfo> {
    match stored.unwrap_or_else(|| Err(BrokerError::protocol("enqueue").into())) {
        Ok(()) => Ok(info),
        Err(EnqueueError::Duplicate { holder }) => Err(Error::DuplicateTask { queue: info.queue, holder }),
        Err(EnqueueError::IdConflict) => Err(Error::TaskIdConflict { queue: info.queue, id: info.id }),
        Err(EnqueueError::Broker(error)) => Err(error.into()),
    }
}
