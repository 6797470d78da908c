//! [`TaskEdit`]: what is to be changed in a stored task.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::Inspector;
use crate::broker::{Edit, Edited};
use crate::clock::floor_seconds;
use crate::error::{Error, Result};
use crate::payload::Payloads;
use crate::task::{InvalidOption, QueueName, TaskId, TaskInfo, wire_seconds};
use crate::wire::TaskMessage;

/// How often an edit is made anew when somebody else changes the task at the same moment.
const ATTEMPTS: usize = 10;

/// Changes to a stored task that is pending, scheduled, waiting for a retry, or archived. What is not named stays.
///
/// A task that took a uniqueness lock keeps it: the lock is that of the task as it was enqueued.
///
/// # Examples
///
/// ```
/// use asynq_core::inspector::TaskEdit;
/// use std::time::Duration;
///
/// let edit = TaskEdit::new().payload(r#"{"to":"ann@example.com"}"#).max_retry(3).process_in(Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct TaskEdit {
    payload: Option<Bytes>,
    only_if_payload: Option<Bytes>,
    headers: Vec<(String, Option<String>)>,
    max_retry: Option<u32>,
    timeout: Option<Duration>,
    /// Unix seconds; 0 for none.
    deadline: Option<i64>,
    retention: Option<Duration>,
    process: Option<Process>,
}

#[derive(Clone, Copy, Debug)]
enum Process {
    At(Timestamp),
    In(Duration),
}

impl TaskEdit {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the payload. One that was compressed or encrypted is so again, with the settings and the keys of the
    /// inspector's client.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Bytes>) -> Self {
        self.payload = Some(payload.into());
        self
    }

    /// Changes nothing unless the payload, as it is stored, is still this one: for a payload made out of the one that was read.
    #[must_use]
    pub fn only_if_payload(mut self, payload: impl Into<Bytes>) -> Self {
        self.only_if_payload = Some(payload.into());
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// Removes a header, if it is there.
    #[must_use]
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push((name.into(), None));
        self
    }

    /// How often it may be retried in all.
    #[must_use]
    pub fn max_retry(mut self, times: u32) -> Self {
        self.max_retry = Some(times);
        self
    }

    /// The time limit of each attempt; in whole seconds, at least one. Zero: only the deadline limits it, or 30 minutes
    /// where it has none.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// When it must be done; `None` for whenever.
    #[must_use]
    pub fn deadline(mut self, at: impl Into<Option<Timestamp>>) -> Self {
        self.deadline = Some(at.into().map_or(0, floor_seconds));
        self
    }

    /// How long it is kept after success.
    #[must_use]
    pub fn retention(mut self, keep: Duration) -> Self {
        self.retention = Some(keep);
        self
    }

    /// The earliest time to start. A task that waits for a retry goes on waiting for it; a pending or an archived one
    /// becomes scheduled.
    #[must_use]
    pub fn process_at(mut self, at: Timestamp) -> Self {
        self.process = Some(Process::At(at));
        self
    }

    /// The same, counted from now.
    #[must_use]
    pub fn process_in(mut self, delay: Duration) -> Self {
        self.process = Some(Process::In(delay));
        self
    }

    /// When the task is due, Unix seconds.
    fn due(&self, now: Timestamp) -> Result<Option<i64>, InvalidOption> {
        let at = match self.process {
            None => return Ok(None),
            Some(Process::At(at)) => at,
            Some(Process::In(delay)) => now.checked_add(delay).map_err(|_error| {
                InvalidOption::new("process_in", &format_args!("{delay:?} is past the year 9999"))
            })?,
        };
        Ok(Some(floor_seconds(at)))
    }

    fn apply(&self, message: &TaskMessage, payloads: &Payloads) -> Result<TaskMessage> {
        let mut edited = message.clone();
        if let Some(payload) = &self.payload {
            edited.payload = payload.clone();
            payloads.reseal(&mut edited)?;
        }
        for (name, value) in &self.headers {
            match value {
                Some(value) => edited.headers.insert(name.clone(), value.clone()),
                None => edited.headers.remove(name),
            };
        }
        if let Some(times) = self.max_retry {
            edited.retry = i32::try_from(times).map_err(|_error| {
                InvalidOption::new("max_retry", &format_args!("{times} is more than {}", i32::MAX))
            })?;
        }
        if let Some(limit) = self.timeout {
            edited.timeout = wire_seconds(limit);
        }
        if let Some(deadline) = self.deadline {
            edited.deadline = deadline;
        }
        if edited.timeout == 0 && edited.deadline == 0 {
            edited.timeout = wire_seconds(crate::task::DEFAULT_TIMEOUT);
        }
        if let Some(keep) = self.retention {
            edited.retention = wire_seconds(keep);
        }
        Ok(edited)
    }
}

impl Inspector {
    /// Changes a stored task that is not being run, and gives it as it stands then. Nobody else's change is lost: when the
    /// task was changed since it was read, the edit is made anew on what stands there.
    ///
    /// # Errors
    ///
    /// [`Error::WrongState`] when it is active, completed or in a group; [`Error::TaskChanged`] when the payload is not
    /// the one that the edit is for; [`Error::InvalidOption`], [`Error::PayloadTooLarge`], [`Error::PayloadNotStored`], [`Error::QueueNotFound`], [`Error::TaskNotFound`],
    /// [`Error::UnreadableTask`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn edit(
        &self,
        queue: impl AsRef<str>,
        id: impl AsRef<str>,
        edit: TaskEdit,
    ) -> Result<TaskInfo> {
        let (queue, id) = self.names(queue, id).await?;
        for _ in 0..ATTEMPTS {
            let detail = self.detail(&queue, &id).await?;
            let expected = edit.only_if_payload.as_ref();
            if expected.is_some_and(|expected| *expected != detail.message.payload) {
                break;
            }
            let message =
                Some(edit.apply(&detail.message, &self.payloads)?).filter(|edited| *edited != detail.message);
            let due = edit.due(self.broker.clock().now())?;
            let edit = Edit { expected: detail.message_bytes, message, due };
            match self.broker.edit(&queue, &id, &edit).await? {
                Edited::Applied => return Ok(self.detail(&queue, &id).await?.info),
                Edited::Changed => {}
                Edited::NotFound => return Err(Error::TaskNotFound { queue, id }),
                Edited::Refused(state) => return Err(refused(queue, id, state)),
            }
        }
        Err(Error::TaskChanged { queue, id })
    }

    /// Replaces the payload of a task: [`edit`](Self::edit) with nothing else.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn update_payload(
        &self,
        queue: impl AsRef<str>,
        id: impl AsRef<str>,
        payload: impl Into<Bytes>,
    ) -> Result<TaskInfo> {
        self.edit(queue, id, TaskEdit::new().payload(payload)).await
    }

    /// Changes when a task is due: [`edit`](Self::edit) with nothing else.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn reschedule(
        &self,
        queue: impl AsRef<str>,
        id: impl AsRef<str>,
        at: Timestamp,
    ) -> Result<TaskInfo> {
        self.edit(queue, id, TaskEdit::new().process_at(at)).await
    }
}

pub(super) fn refused(queue: QueueName, id: TaskId, state: crate::task::TaskState) -> Error {
    let remedy = "only a pending, scheduled or archived task, or one that waits for a retry, can be changed";
    Error::WrongState { queue, id, state, remedy }
}
