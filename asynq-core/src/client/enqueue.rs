//! [`Enqueue`]: a task on its way, with options to set before it is awaited.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{AsClient, Client, EnqueueIfAbsent, Enqueued};
use crate::error::Result;
use crate::job::IntoTask;
use crate::task::{Task, TaskInfo, TaskOptions, UniqueUntil};

/// A task on its way: set options, then `.await` it.
///
/// # Cancel safety
///
/// Dropped half-way, the task may or may not be stored.
#[derive(Debug)]
#[must_use = "nothing is enqueued until it is awaited"]
pub struct Enqueue<'a, T = Task> {
    client: &'a Client,
    task: Result<Task>,
    options: TaskOptions,
    job: PhantomData<fn() -> T>,
}

impl<'a, T: IntoTask> Enqueue<'a, T> {
    /// Starts from a job or an untyped task; what `#[job]` generates as `enqueue` calls this.
    pub fn new(task: T, client: &'a (impl AsClient + ?Sized)) -> Self {
        Self {
            client: client.as_client(),
            task: task.into_task(),
            options: TaskOptions::new(),
            job: PhantomData,
        }
    }

    /// Sets any option through [`TaskOptions`].
    pub fn options(mut self, set: impl FnOnce(TaskOptions) -> TaskOptions) -> Self {
        self.options = set(self.options);
        self
    }

    /// See [`TaskOptions::queue`].
    pub fn queue(self, name: impl AsRef<str>) -> Self {
        self.options(|options| options.queue(name))
    }

    /// See [`TaskOptions::max_retry`].
    pub fn retry(self, times: u32) -> Self {
        self.options(|options| options.max_retry(times))
    }

    /// See [`TaskOptions::process_in`].
    pub fn process_in(self, delay: Duration) -> Self {
        self.options(|options| options.process_in(delay))
    }

    /// See [`TaskOptions::process_at`].
    pub fn process_at(self, at: Timestamp) -> Self {
        self.options(|options| options.process_at(at))
    }

    /// See [`TaskOptions::unique`].
    pub fn unique_for(self, ttl: Duration) -> Self {
        self.options(|options| options.unique(ttl))
    }

    /// See [`TaskOptions::unique_key`].
    pub fn unique_key(self, key: impl Into<String>) -> Self {
        self.options(|options| options.unique_key(key))
    }

    /// See [`TaskOptions::unique_until`].
    pub fn unique_until(self, until: UniqueUntil) -> Self {
        self.options(|options| options.unique_until(until))
    }

    /// Takes it for an answer that the task is there already: awaiting it gives `None` then. See [`IfAbsent`](super::IfAbsent).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use asynq_core::client::{Client, Enqueue};
    /// use asynq_core::task::Task;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// let once = || -> Result<_, asynq_core::Error> {
    ///     Ok(Enqueue::new(Task::new("report", "")?, &client).unique_for(Duration::from_secs(3600)).if_absent())
    /// };
    /// assert!(once()?.await?.is_some());
    /// assert!(once()?.await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_absent(self) -> EnqueueIfAbsent<'a, T> {
        EnqueueIfAbsent(self)
    }

    /// See [`TaskOptions::timeout`].
    pub fn timeout(self, limit: Duration) -> Self {
        self.options(|options| options.timeout(limit))
    }

    /// See [`TaskOptions::deadline`].
    pub fn deadline(self, at: Timestamp) -> Self {
        self.options(|options| options.deadline(at))
    }

    /// See [`TaskOptions::expires_in`].
    pub fn expires_in(self, limit: Duration) -> Self {
        self.options(|options| options.expires_in(limit))
    }

    /// See [`TaskOptions::retention`].
    pub fn retention(self, keep: Duration) -> Self {
        self.options(|options| options.retention(keep))
    }

    /// See [`TaskOptions::task_id`].
    pub fn task_id(self, id: impl AsRef<str>) -> Self {
        self.options(|options| options.task_id(id))
    }

    /// See [`TaskOptions::group`].
    pub fn group(self, name: impl Into<String>) -> Self {
        self.options(|options| options.group(name))
    }

    /// See [`TaskOptions::header`].
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options(|options| options.header(name, value))
    }
}

impl<'a, T: 'a> IntoFuture for Enqueue<'a, T> {
    type Output = Result<Enqueued<T>>;
    type IntoFuture = Enqueuing<'a, T>;

    fn into_future(self) -> Enqueuing<'a, T> {
        Enqueuing { sent: send(self.client, self.task, self.options), job: PhantomData }
    }
}

/// Apart from the job's type, so that it is compiled once and not for each job.
fn send(client: &Client, task: Result<Task>, options: TaskOptions) -> BoxFuture<'_, Result<TaskInfo>> {
    Box::pin(async move { Ok(client.enqueue(task?.options(options)).await?.into_info()) })
}

/// The future of an [`Enqueue`] that is awaited.
#[must_use = "nothing is enqueued until it is awaited"]
pub struct Enqueuing<'a, T> {
    sent: BoxFuture<'a, Result<TaskInfo>>,
    job: PhantomData<fn() -> T>,
}

impl<T> Future for Enqueuing<'_, T> {
    type Output = Result<Enqueued<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.sent.as_mut().poll(context) {
            Poll::Ready(Ok(info)) => Poll::Ready(Ok(Enqueued::new(info))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for Enqueuing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enqueuing").finish_non_exhaustive()
    }
}
