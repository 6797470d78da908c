//! Copying a task: the same work once more, under an ID of its own.

use super::Inspector;
use crate::broker::{BrokerError, EnqueueError, NewTask, Placement};
use crate::error::{Error, Result};
use crate::task::{QueueName, TaskId, TaskInfo, TaskState, UniqueUntil};
use crate::wire::TaskMessage;

impl Inspector {
    /// Enqueues a task once more, in this queue or another: a pending task with an ID of its own, and with the type,
    /// payload, headers and options of the first. What became of that, its group and its lock are not copied: a unique
    /// task can be copied too. It may be in any state, and stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`] for the first queue (the other one need not exist), [`Error::TaskNotFound`],
    /// [`Error::UnreadableTask`], [`Error::InvalidOption`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, there may or may not be a copy.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::inspector::Inspector;
    /// use asynq_core::task::{Task, TaskOptions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// client.enqueue(Task::new("t", "{}")?.options(TaskOptions::new().task_id("a"))).await?;
    /// let copy = Inspector::new(&client).copy_task("default", "a", Some("low")).await?;
    /// assert_eq!((copy.queue.as_str(), &copy.payload[..]), ("low", &b"{}"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn copy_task(
        &self,
        from: impl AsRef<str>,
        id: impl AsRef<str>,
        to: Option<&str>,
    ) -> Result<TaskInfo> {
        let to = to.map(QueueName::new).transpose()?;
        let (from, id) = self.names(from, id).await?;
        let queue = to.unwrap_or_else(|| from.clone());
        let id_of_copy = TaskId::random();
        let message = TaskMessage {
            id: id_of_copy.as_str().to_owned(),
            queue: queue.as_str().to_owned(),
            retried: 0,
            error_msg: String::new(),
            last_failed_at: 0,
            completed_at: 0,
            unique_key: String::new(),
            group_key: String::new(),
            ..self.detail(&from, &id).await?.message
        };
        let next_process_at = Some(self.broker.clock().now());
        let info = TaskInfo { next_process_at, ..TaskInfo::stored(&message, TaskState::Pending) };
        let (placement, unique_until) = (Placement::Pending, UniqueUntil::default());
        let new = NewTask { message, placement, unique_ttl: 0, unique_until };
        match self.broker.enqueue(std::slice::from_ref(&new)).await.pop() {
            Some(Ok(())) => Ok(info),
            Some(Err(EnqueueError::IdConflict)) => Err(Error::TaskIdConflict { queue, id: id_of_copy }),
            Some(Err(EnqueueError::Duplicate { holder })) => Err(Error::DuplicateTask { queue, holder }),
            Some(Err(EnqueueError::Broker(error))) => Err(error.into()),
            None => Err(BrokerError::protocol("enqueue").into()),
        }
    }
}
