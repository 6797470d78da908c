//! [`Import`]: lines of JSON as tasks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::imported::{ImportError, Imported, ImportedLines};
use super::record::{Footer, Header, Record, VERSION};
use super::waves::Waves;
use crate::broker::{Adoption, EnqueueError};
use crate::error::Error;
use crate::inspector::Inspector;
use crate::task::{QueueName, TaskId, TaskState, TaskType, UniqueUntil};
use crate::wire::keys::Keyspace;

/// How many tasks are stored at a time.
const AT_A_TIME: usize = 16;

/// What becomes of a task whose ID is there already, or whose lock another task holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnConflict {
    /// It is an error.
    #[default]
    Fail,
    /// It is left out.
    Skip,
    /// It takes the place of the one that is there, unless that is being run or aggregated. A lock that another task
    /// holds stays an error.
    Replace,
}

impl Inspector {
    /// Stores the tasks of an [`Export`](super::Export), line by line, each in its state and with its times.
    ///
    /// A task that was being run becomes pending, and one that was being aggregated goes back to its group. Locks last
    /// until the same moment as they would have. A task is stored whole or not at all.
    pub fn import(&self, on_conflict: OnConflict) -> Import {
        Import {
            inspector: self.clone(),
            on_conflict,
            into: None,
            queue_prefix: String::new(),
            dry_run: false,
            line: 0,
            names: None,
            tasks: 0,
            is_whole: false,
        }
    }
}

/// Lines of JSON as tasks.
#[derive(Debug)]
pub struct Import {
    inspector: Inspector,
    on_conflict: OnConflict,
    into: Option<QueueName>,
    queue_prefix: String,
    dry_run: bool,
    line: usize,
    /// The names of keys where the tasks come from, as the first line says.
    names: Option<Keyspace>,
    tasks: usize,
    is_whole: bool,
}

impl Import {
    /// All tasks into this queue.
    #[must_use]
    pub fn into_queue(self, queue: QueueName) -> Self {
        Self { into: Some(queue), ..self }
    }

    /// Each into a queue whose name begins with this, and goes on as it did.
    #[must_use]
    pub fn queue_prefix(self, prefix: impl Into<String>) -> Self {
        Self { queue_prefix: prefix.into(), ..self }
    }

    /// Stores nothing, and tells what would become of each.
    #[must_use]
    pub fn dry_run(self) -> Self {
        Self { dry_run: true, ..self }
    }

    /// The next line, with or without its end.
    ///
    /// # Errors
    ///
    /// [`ImportError::Unreadable`], [`ImportError::Refused`]: nothing of this line is stored, and the next may be given.
    /// Only after [`Error::Broker`] it may be stored all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, its task may or may not be stored.
    pub async fn line(&mut self, text: &[u8]) -> Result<Imported, ImportError> {
        match self.lines([text]).await {
            ImportedLines { error: Some(error), .. } => Err(error),
            ImportedLines { stored: 1, .. } => Ok(Imported::Stored),
            ImportedLines { skipped: 1, .. } => Ok(Imported::Skipped),
            ImportedLines { .. } => Ok(Imported::Nothing),
        }
    }

    /// The next lines, each with or without its end, and several at a time. Pending tasks of a queue are stored one after
    /// the other, for they run in that order; and so are tasks that may be in each other's way.
    ///
    /// After an error none of the lines that follow is begun; a few of them may be stored already.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, any of the tasks may be stored.
    pub async fn lines(&mut self, texts: impl IntoIterator<Item: AsRef<[u8]>>) -> ImportedLines {
        let mut waves = Waves::default();
        let mut unreadable = None;
        for text in texts {
            match self.read(text.as_ref()) {
                Ok(Some(task)) => waves.add(self.line, task),
                Ok(None) => {}
                Err(error) => {
                    unreadable = Some(error);
                    break;
                }
            }
        }
        let mut imported = ImportedLines::default();
        for lanes in waves.0 {
            let failed = AtomicUsize::new(usize::MAX);
            let lanes = stream::iter(lanes.of).map(|(_, lane)| self.store_in_turn(lane, &failed));
            let mut ended = lanes.buffer_unordered(AT_A_TIME);
            while let Some(lane) = ended.next().await {
                imported.add(lane);
            }
            if imported.error.is_some() {
                return imported;
            }
        }
        ImportedLines { error: unreadable, ..imported }
    }

    /// Stores tasks one after the other, up to the first line that failed, here or elsewhere.
    async fn store_in_turn(&self, lane: Vec<(usize, Adoption)>, failed: &AtomicUsize) -> ImportedLines {
        let mut imported = ImportedLines::default();
        for (line, task) in lane {
            if line > failed.load(Ordering::Relaxed) {
                break;
            }
            match self.store(line, task).await {
                Ok(Imported::Skipped) => imported.skipped += 1,
                Ok(_) => imported.stored += 1,
                Err(error) => {
                    failed.fetch_min(line, Ordering::Relaxed);
                    imported.error = Some(error);
                    break;
                }
            }
        }
        imported
    }

    /// The task of the next line; none where it is no task's.
    fn read(&mut self, text: &[u8]) -> Result<Option<Adoption>, ImportError> {
        self.line += 1;
        let text = text.trim_ascii_end();
        if text.is_empty() {
            return Ok(None);
        }
        let Some(names) = self.names.clone() else {
            self.names = Some(self.header(text)?);
            return Ok(None);
        };
        if self.is_whole {
            return Err(self.unreadable(1, "nothing may follow the last line of an export"));
        }
        if text.starts_with(b"{\"asynq_export_end\"") {
            let footer: Footer = self.parse(text)?;
            let tasks = footer.asynq_export_end.tasks;
            if tasks != self.tasks {
                let reason =
                    format!("the export had {tasks} tasks, and {} came before this line", self.tasks);
                return Err(self.unreadable(1, reason));
            }
            self.is_whole = true;
            return Ok(None);
        }
        // One that cannot be read was there nevertheless.
        self.tasks += 1;
        let record: Record = self.parse(text)?;
        self.adoption(&record, &names).map(Some)
    }

    /// There are no more lines.
    ///
    /// # Errors
    ///
    /// [`ImportError::CutOff`] when the last line of the export was not among them.
    pub fn end(self) -> Result<(), ImportError> {
        if self.is_whole { Ok(()) } else { Err(ImportError::CutOff { line: self.line }) }
    }

    fn header(&self, text: &[u8]) -> Result<Keyspace, ImportError> {
        if !text.starts_with(b"{\"asynq_export\"") {
            return Err(self.unreadable(1, "this is no export of asynq: its first line says so"));
        }
        let header: Header = self.parse(text)?;
        if header.asynq_export != VERSION {
            let version = header.asynq_export;
            let reason =
                format!("the export has version {version} of its format; this program reads {VERSION}");
            return Err(self.unreadable(1, reason));
        }
        Ok(Keyspace::new(&header.key_prefix))
    }

    fn parse<'t, T: serde::Deserialize<'t>>(&self, text: &'t [u8]) -> Result<T, ImportError> {
        serde_json::from_slice(text).map_err(|error| {
            let told = error.to_string();
            // Which line of the text it is, says nothing: there is one.
            let reason = told.rsplit_once(" at line ").map_or(told.as_str(), |(reason, _)| reason);
            self.unreadable(error.column(), reason)
        })
    }

    fn unreadable(&self, column: usize, reason: impl Into<String>) -> ImportError {
        ImportError::Unreadable { line: self.line, column, reason: reason.into() }
    }

    fn refused(&self, source: impl Into<Error>) -> ImportError {
        ImportError::Refused { line: self.line, source: source.into() }
    }

    /// What is to be stored.
    fn adoption(&self, record: &Record, names: &Keyspace) -> Result<Adoption, ImportError> {
        let from = QueueName::new(&record.queue).map_err(|error| self.refused(error))?;
        TaskId::new(&record.id).map_err(|error| self.refused(error))?;
        TaskType::new(&record.task_type).map_err(|error| self.refused(error))?;
        let state: TaskState = record
            .state
            .parse()
            .map_err(|error: crate::task::UnknownState| self.unreadable(1, error.to_string()))?;
        let to = match &self.into {
            Some(queue) => queue.clone(),
            None => QueueName::stored(&format!("{}{from}", self.queue_prefix)),
        };
        let (old, new) = (names.queue(&from), self.inspector.broker.keyspace().queue(&to));
        // A lock is named after its queue; one under another name stays as it is.
        let moved = |key: &str| match key.strip_prefix(old.prefix()) {
            Some(name) => format!("{}{name}", new.prefix()),
            None => key.to_owned(),
        };
        let mut fields: BTreeMap<String, Bytes> =
            record.fields.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
        if let Some(key) = fields.get_mut("unique_key") {
            *key = moved(&String::from_utf8_lossy(key)).into();
        }
        let now = self.inspector.broker.clock().unix_seconds();
        let mut unique_ttl = 0;
        let mut unique_until = UniqueUntil::Success;
        if let Some(lock) = &record.lock {
            unique_ttl = lock.expires_at.saturating_sub(now).max(0);
            unique_until = UniqueUntil::named(&lock.until).ok_or_else(|| {
                self.unreadable(
                    1,
                    format!("a lock ends with success, start or ttl, not with `{}`", lock.until),
                )
            })?;
        }
        let mut message = record.message();
        message.unique_key = moved(&message.unique_key);
        if !message.unique_key.starts_with(new.prefix()) {
            // In another slot, or not ours at all: such a lock cannot be taken with the task.
            unique_ttl = 0;
        }
        to.as_str().clone_into(&mut message.queue);
        let state = if state == TaskState::Active { TaskState::Pending } else { state };
        if state == TaskState::Aggregating && record.group.is_empty() && !record.fields.contains_key("group")
        {
            return Err(self.unreadable(1, "the task is aggregating, and no group is named"));
        }
        Ok(Adoption {
            message,
            state,
            score: record.score.unwrap_or(now),
            fields,
            unique_ttl,
            unique_until,
            replace: self.on_conflict == OnConflict::Replace,
        })
    }

    async fn store(&self, line: usize, task: Adoption) -> Result<Imported, ImportError> {
        let refused = |source| ImportError::Refused { line, source };
        let broker = &self.inspector.broker;
        let queue = QueueName::stored(&task.message.queue);
        let id = TaskId::stored(&task.message.id);
        let stored =
            if self.dry_run { self.would_store(&task, &queue, &id).await } else { broker.adopt(&task).await };
        let refusal = match stored {
            Ok(()) => return Ok(Imported::Stored),
            Err(EnqueueError::IdConflict) => Error::TaskIdConflict { queue, id },
            Err(EnqueueError::Duplicate { holder }) => Error::DuplicateTask { queue, holder },
            Err(EnqueueError::Broker(error)) => return Err(refused(error.into())),
        };
        if self.on_conflict == OnConflict::Skip { Ok(Imported::Skipped) } else { Err(refused(refusal)) }
    }

    /// What storing it would come to, as things stand.
    async fn would_store(&self, task: &Adoption, queue: &QueueName, id: &TaskId) -> Result<(), EnqueueError> {
        let broker = &self.inspector.broker;
        if task.unique_ttl > 0 {
            let locks = broker.lock_standings(queue, std::slice::from_ref(&task.message.unique_key)).await?;
            let holder = locks
                .into_iter()
                .flatten()
                .find(|lock| lock.holder != *id && (lock.is_kept || lock.state.is_some()));
            if let Some(lock) = holder {
                return Err(EnqueueError::Duplicate { holder: lock.holder.to_string() });
            }
        }
        let there = broker.copies(queue, std::slice::from_ref(id)).await?.pop().flatten();
        let is_free = there.is_none_or(|there| {
            task.replace && there.fields.get("state").is_none_or(|state| state != TaskState::Active.as_str())
        });
        if is_free { Ok(()) } else { Err(EnqueueError::IdConflict) }
    }
}
