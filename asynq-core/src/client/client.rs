//! [`Client`]: enqueues tasks.

use std::sync::Arc;

use super::plan::{Plan, plan};
use crate::broker::{Broker, EnqueueError, MemoryBroker};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::task::{Task, TaskInfo};

/// How many tasks go into one round trip of [`Client::enqueue_all`].
const CHUNK: usize = 256;

/// Enqueues tasks. Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct Client {
    broker: Arc<dyn Broker>,
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
        Self { broker }
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
    /// assert_eq!(stored.map(|task| task.payload), Some(sent.payload));
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

    /// Enqueues one task and tells how it is stored.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] before anything is sent; [`Error::DuplicateTask`], [`Error::TaskIdConflict`];
    /// [`Error::Broker`] when the broker does not answer: then the task may or may not be stored.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the task may or may not be stored.
    pub async fn enqueue(&self, task: Task) -> Result<TaskInfo> {
        let Plan { new, info } = plan(task, self.broker.keyspace(), self.broker.clock().now())?;
        match self.broker.enqueue(std::slice::from_ref(&new)).await.pop() {
            Some(Ok(())) => Ok(info),
            Some(Err(error)) => Err(refused(error, info)),
            None => Err(crate::broker::BrokerError::protocol("enqueue").into()),
        }
    }

    /// Enqueues many tasks: one result for each, in order. A task that is refused does not keep others from
    /// being stored. One round trip for each 256 tasks.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, any number of the tasks may be stored.
    pub async fn enqueue_all(&self, tasks: impl IntoIterator<Item = Task>) -> Vec<Result<TaskInfo>> {
        let now = self.broker.clock().now();
        let mut results = Vec::new();
        let mut tasks = tasks.into_iter().peekable();
        while tasks.peek().is_some() {
            let mut news = Vec::with_capacity(CHUNK);
            let first = results.len();
            for task in tasks.by_ref().take(CHUNK) {
                results.push(plan(task, self.broker.keyspace(), now).map(|Plan { new, info }| {
                    news.push(new);
                    info
                }));
            }
            let mut stored = self.broker.enqueue(&news).await.into_iter();
            for result in results.iter_mut().skip(first).filter(|result| result.is_ok()) {
                let outcome = stored
                    .next()
                    .unwrap_or_else(|| Err(crate::broker::BrokerError::protocol("enqueue").into()));
                if let Err(error) = outcome {
                    let placeholder = Err(Error::NoJobs);
                    if let Ok(info) = std::mem::replace(result, placeholder) {
                        *result = Err(refused(error, info));
                    }
                }
            }
        }
        results
    }

    /// Enqueues many jobs of one type, as [`enqueue_all`](Self::enqueue_all).
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, any number of the jobs may be stored.
    pub async fn enqueue_jobs<J: Job>(&self, jobs: impl IntoIterator<Item = J>) -> Vec<Result<TaskInfo>> {
        let mut results = Vec::new();
        let mut places = Vec::new();
        let mut tasks = Vec::new();
        for job in jobs {
            match job.to_task() {
                Ok(task) => {
                    places.push(results.len());
                    tasks.push(task);
                    results.push(Err(Error::NoJobs));
                }
                Err(error) => results.push(Err(error)),
            }
        }
        for (place, result) in places.into_iter().zip(self.enqueue_all(tasks).await) {
            if let Some(slot) = results.get_mut(place) {
                *slot = result;
            }
        }
        results
    }
}

fn refused(error: EnqueueError, info: TaskInfo) -> Error {
    match error {
        EnqueueError::Duplicate { holder } => Error::DuplicateTask { queue: info.queue, holder },
        EnqueueError::IdConflict => Error::TaskIdConflict { queue: info.queue, id: info.id },
        EnqueueError::Broker(error) => error.into(),
    }
}
