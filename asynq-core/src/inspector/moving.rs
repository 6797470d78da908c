//! Moving a task to another queue.
//!
//! Two queues may be on two servers, so there are three steps: the task is put out of the workers' reach, stored in the
//! other queue under the same ID, and deleted here. A crash after the first delays it, and one after the second may run
//! it twice; the same move made again ends what was begun.

use std::time::Duration;

use super::Inspector;
use super::edit::refused;
use crate::broker::{Adoption, Change, Changed, Edit, Edited, EnqueueError, TaskDetail};
use crate::clock::floor_seconds;
use crate::error::{Error, Result};
use crate::task::{InvalidOption, QueueName, TaskId, TaskInfo, TaskState};
use crate::wire::TaskMessage;

/// When a task that was put out of reach comes back by itself, should nobody end the move.
const RESCUE: Duration = Duration::from_secs(3600);

impl Inspector {
    /// Moves a task to another queue, where it keeps its ID, its state and its time, and takes its lock along. A lock
    /// that is kept for its whole time stays behind as well.
    ///
    /// A pending task goes to the end of the other queue. Should this process die in the middle, the task may come an hour
    /// late, or run twice; moving it again puts that right.
    ///
    /// # Errors
    ///
    /// [`Error::TaskIdConflict`] when the other queue has another task of this ID, and [`Error::DuplicateTask`] when one
    /// there holds the lock: then the task stays as it was, but for its place among the pending ones.
    /// [`Error::WrongState`] when it is active or in a group; [`Error::TaskChanged`] when somebody else changes it at the
    /// same moment; [`Error::QueueNotFound`] for the first queue (the other one need not exist),
    /// [`Error::TaskNotFound`], [`Error::UnreadableTask`], [`Error::InvalidOption`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// As a crash at that moment: move it again.
    pub async fn move_task(
        &self,
        from: impl AsRef<str>,
        id: impl AsRef<str>,
        to: impl AsRef<str>,
    ) -> Result<TaskInfo> {
        let to = QueueName::new(to)?;
        let (from, id) = self.names(from, id).await?;
        if from == to {
            return Err(InvalidOption::new("queue", &format_args!("the task is in `{to}` already")).into());
        }
        let before = self.detail(&from, &id).await?;
        let adoption = self.adoption(&before, &from, &to);
        self.set_aside(&from, &id, &before).await?;
        let adopted = match self.broker.adopt(&adoption).await {
            Err(EnqueueError::IdConflict) if self.is_there(&to, &id, &adoption).await? => Ok(()),
            adopted => adopted,
        };
        if let Err(refusal) = adopted {
            let refusal = match refusal {
                EnqueueError::IdConflict => Error::TaskIdConflict { queue: to, id: id.clone() },
                EnqueueError::Duplicate { holder } => Error::DuplicateTask { queue: to, holder },
                // It may be stored there all the same: it stays aside, and the move can be made again.
                EnqueueError::Broker(error) => return Err(error.into()),
            };
            self.put_back(&from, &id, &before).await?;
            return Err(refusal);
        }
        match self.broker.change(&from, &id, Change::Delete).await? {
            Changed::Applied | Changed::NotFound => Ok(self.detail(&to, &id).await?.info),
            // Somebody made it run in spite of all: then it does not run there as well.
            _ => {
                self.broker.change(&to, &id, Change::Delete).await?;
                Err(Error::TaskChanged { queue: from, id })
            }
        }
    }

    /// Puts a task where no worker takes it, for a while.
    async fn set_aside(&self, queue: &QueueName, id: &TaskId, task: &TaskDetail) -> Result<()> {
        let due = match task.info.state {
            TaskState::Pending | TaskState::Scheduled | TaskState::Retry => {
                Some(self.broker.clock().unix_seconds() + RESCUE.as_secs().cast_signed())
            }
            TaskState::Archived | TaskState::Completed => return Ok(()),
            state => return Err(refused(queue.clone(), id.clone(), state)),
        };
        let edit = Edit { expected: task.message_bytes.clone(), message: None, due };
        match self.broker.edit(queue, id, &edit).await? {
            Edited::Applied => Ok(()),
            Edited::NotFound => Err(Error::TaskNotFound { queue: queue.clone(), id: id.clone() }),
            Edited::Changed => Err(Error::TaskChanged { queue: queue.clone(), id: id.clone() }),
            Edited::Refused(state) => Err(refused(queue.clone(), id.clone(), state)),
        }
    }

    /// Undoes that.
    async fn put_back(&self, queue: &QueueName, id: &TaskId, task: &TaskDetail) -> Result<()> {
        match task.info.state {
            TaskState::Pending => {
                self.broker.change(queue, id, Change::Run).await?;
            }
            TaskState::Scheduled | TaskState::Retry => {
                let due = task.info.next_process_at.map(floor_seconds);
                let edit = Edit { expected: task.message_bytes.clone(), message: None, due };
                self.broker.edit(queue, id, &edit).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The task as it is to stand in the other queue.
    fn adoption(&self, task: &TaskDetail, from: &QueueName, to: &QueueName) -> Adoption {
        let TaskDetail { info, message, lock, .. } = task;
        let held = lock.as_ref().filter(|lock| lock.holder.as_deref() == Some(info.id.as_str()));
        let (old, new) = (self.broker.keyspace().queue(from), self.broker.keyspace().queue(to));
        // A lock is named after its queue; one under another name, or one that has run out, stays behind.
        let unique_key = held
            .and_then(|lock| lock.key.strip_prefix(old.prefix()))
            .map(|name| format!("{}{name}", new.prefix()))
            .unwrap_or_default();
        let unique_ttl = match held.and_then(|lock| lock.expires_in) {
            Some(left) if !unique_key.is_empty() => left.as_secs().max(1).cast_signed(),
            _ => 0,
        };
        let now = self.broker.clock().unix_seconds();
        let retention = i64::try_from(info.retention.as_secs()).unwrap_or(i64::MAX);
        let score = match info.state {
            TaskState::Scheduled | TaskState::Retry => info.next_process_at.map_or(now, floor_seconds),
            TaskState::Completed => info.completed_at.map_or(now, floor_seconds).saturating_add(retention),
            _ => now,
        };
        let mut fields = task.own_fields.clone();
        if !task.group.is_empty() {
            fields.insert("group".to_owned(), task.group.clone().into());
        }
        if let Some(result) = &info.result {
            fields.insert("result".to_owned(), result.clone());
        }
        Adoption {
            message: TaskMessage { queue: to.as_str().to_owned(), unique_key, ..message.clone() },
            state: info.state,
            score,
            fields,
            unique_ttl,
            unique_until: held.map(|lock| lock.until).unwrap_or_default(),
            replace: false,
        }
    }

    /// Whether an earlier move has stored the task already.
    async fn is_there(&self, queue: &QueueName, id: &TaskId, adoption: &Adoption) -> Result<bool> {
        let there = self.broker.task_detail(queue, id).await?.and_then(std::result::Result::ok);
        Ok(there.is_some_and(|there| there.message == adoption.message))
    }
}
