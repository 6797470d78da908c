//! [`IfAbsent`]: a task that is there already is no error to everyone.

use std::future::IntoFuture;

use futures_util::future::BoxFuture;

use super::{Enqueue, Enqueued};
use crate::error::{Error, Result};
use crate::task::Task;

/// What enqueuing told, for those who only want the task to be there: once, whoever stored it.
///
/// ```
/// use asynq_core::client::{Client, IfAbsent};
/// use asynq_core::task::{Task, TaskOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::in_memory();
/// let welcome = |user: &str| -> Result<Task, Box<dyn std::error::Error>> {
///     Ok(Task::new("welcome", "")?.options(TaskOptions::new().task_id(format!("welcome-{user}"))))
/// };
/// client.enqueue(welcome("ann")?).await?;
///
/// let mut stored = 0;
/// for result in client.enqueue_all([welcome("ann")?, welcome("bob")?]).await {
///     stored += usize::from(result.if_absent()?.is_some());
/// }
/// assert_eq!(stored, 1);
/// # Ok(())
/// # }
/// ```
pub trait IfAbsent {
    /// What was stored.
    type Stored;

    /// `None` where a task is there already: one that holds the uniqueness lock ([`Error::DuplicateTask`] would tell
    /// which), or one of the same ID ([`Error::TaskIdConflict`]), in any state.
    ///
    /// # Errors
    ///
    /// Every other error, as it was.
    fn if_absent(self) -> Result<Option<Self::Stored>>;
}

impl<T> IfAbsent for Result<T> {
    type Stored = T;

    fn if_absent(self) -> Result<Option<T>> {
        match self {
            Ok(stored) => Ok(Some(stored)),
            Err(Error::DuplicateTask { .. } | Error::TaskIdConflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A task on its way that may be there already: `.await` it.
///
/// # Cancel safety
///
/// As of [`Enqueue`].
#[derive(Debug)]
#[must_use = "nothing is enqueued until it is awaited"]
pub struct EnqueueIfAbsent<'a, T = Task>(pub(super) Enqueue<'a, T>);

impl<'a, T: 'a> IntoFuture for EnqueueIfAbsent<'a, T> {
    type Output = Result<Option<Enqueued<T>>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let enqueuing = self.0.into_future();
        Box::pin(async move { enqueuing.await.if_absent() })
    }
}
