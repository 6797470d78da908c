//! [`Enqueued`]: a task that was just enqueued.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::{AsClient, Awaited, Wait};
use crate::task::TaskInfo;

/// A task that was just enqueued: its [`TaskInfo`], and the way to [wait](Self::wait) for what its job returns.
///
/// It can be waited for by others as well, who know its queue and its ID: see [`Client::wait`](super::Client::wait).
pub struct Enqueued<T> {
    info: TaskInfo,
    job: PhantomData<fn() -> T>,
}

impl<T> Enqueued<T> {
    pub(super) fn new(info: TaskInfo) -> Self {
        Self { info, job: PhantomData }
    }

    /// How it is stored.
    pub fn into_info(self) -> TaskInfo {
        self.info
    }
}

impl<T: Awaited> Enqueued<T> {
    /// Waits for the task: awaiting it gives what the job returns, or why there is nothing. It may run on any worker, in
    /// any process, of Go's too.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use asynq_core::client::{Client, WaitError};
    /// use asynq_core::router::{Ctx, Router};
    /// use asynq_core::server::Server;
    /// use asynq_core::task::{Task, TaskOptions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// let router = Router::new().route("double", async |_: Ctx| Ok::<_, String>(42))?;
    /// let server = Server::builder(&client).router(router).start().await?;
    ///
    /// let kept = TaskOptions::new().retention(Duration::from_secs(600));
    /// let sent = client.enqueue(Task::new("double", "21")?.options(kept)).await?;
    /// let outcome = sent.wait(&client).timeout(Duration::from_secs(60)).await?;
    /// assert_eq!(outcome.result.as_deref(), Some(b"42".as_slice()));
    /// # server.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(&self, client: &(impl AsClient + ?Sized)) -> Wait<T> {
        Wait::new(client.as_client(), Ok((self.info.queue.clone(), self.info.id.clone())))
    }
}

impl<T> Deref for Enqueued<T> {
    type Target = TaskInfo;

    fn deref(&self) -> &TaskInfo {
        &self.info
    }
}

impl<T> From<Enqueued<T>> for TaskInfo {
    fn from(sent: Enqueued<T>) -> Self {
        sent.info
    }
}

impl<T> Clone for Enqueued<T> {
    fn clone(&self) -> Self {
        Self::new(self.info.clone())
    }
}

impl<T> fmt::Debug for Enqueued<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}
