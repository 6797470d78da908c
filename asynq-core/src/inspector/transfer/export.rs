//! [`Export`]: tasks as lines of JSON.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::record::{Count, Footer, Header, Lock, Record, VERSION};
use crate::broker::{Broker, TaskCopy, lock_until};
use crate::error::Result;
use crate::inspector::{FoundTasks, Inspector, Selection};
use crate::task::{QueueName, TaskId};
use crate::wire::{Blob, TaskMessage};

/// How many tasks one call copies.
const CHUNK: usize = 100;

/// Fields of a task's hash that its line has elsewhere, or that belong to a run.
const ELSEWHERE: [&str; 4] = ["msg", "state", "x_own", "x_run"];

impl Inspector {
    /// All that is stored of the tasks of a selection, as lines of JSON: [`Import`](super::Import) makes tasks of them
    /// again.
    ///
    /// Each task is as it stands at one moment, but not all at the same: of a system that works meanwhile, one that
    /// goes from one state to another may be missed, or come twice. Pause the queues first where that matters.
    /// Counters, pauses and schedules are not tasks, and are not exported.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::inspector::{Inspector, OnConflict, Selection};
    /// use asynq_core::task::Task;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (here, there) = (Client::in_memory(), Client::in_memory());
    /// here.enqueue(Task::new("email:send", r#"{"to":"ann"}"#)?).await?;
    ///
    /// let mut export = Inspector::new(&here).export(Selection::new()).await?;
    /// let inspector = Inspector::new(&there);
    /// let mut import = inspector.import(OnConflict::Fail);
    /// while let Some(line) = export.next().await {
    ///     import.line(line?.as_bytes()).await?;
    /// }
    /// import.end()?;
    /// assert_eq!(inspector.queue_info("default").await?.pending, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn export(&self, selection: Selection) -> Result<Export> {
        let header = Header {
            asynq_export: VERSION,
            key_prefix: self.broker.keyspace().prefix().trim_end_matches(':').to_owned(),
            exported_at: self.broker.clock().now().to_string(),
        };
        Ok(Export {
            broker: Arc::clone(&self.broker),
            found: self.find(selection).await?,
            next: None,
            lines: VecDeque::from([line(&header)]),
            tasks: 0,
            is_over: false,
        })
    }
}

/// Tasks as lines of JSON: one that says what it is, one for each task, and one that says that it is whole.
#[derive(Debug)]
pub struct Export {
    broker: Arc<dyn Broker>,
    found: FoundTasks,
    /// A task that was found and belongs to another queue than those that were copied last.
    next: Option<(QueueName, TaskId)>,
    lines: VecDeque<String>,
    tasks: usize,
    is_over: bool,
}

impl Export {
    /// The next line, without its end; `None` at the end. After an error it goes on where it was.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// Tasks that were found and not yet given may be left out.
    pub async fn next(&mut self) -> Option<Result<String>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(Ok(line));
            }
            if self.is_over {
                return None;
            }
            if let Err(error) = self.read().await {
                return Some(Err(error));
            }
        }
    }

    /// How many tasks were given so far.
    pub fn tasks(&self) -> usize {
        self.tasks - self.lines.len().min(self.tasks)
    }

    /// How many were met so far that cannot be read, and so are not exported.
    pub fn unreadable(&self) -> usize {
        self.found.unreadable()
    }

    /// Copies the next tasks of one queue.
    async fn read(&mut self) -> Result<()> {
        let (mut queue, mut ids) = match self.next.take() {
            Some((queue, id)) => (Some(queue), vec![id]),
            None => (None, Vec::new()),
        };
        while ids.len() < CHUNK {
            let Some(task) = self.found.next().await.transpose()? else {
                self.is_over = true;
                break;
            };
            if queue.as_ref().is_some_and(|queue| *queue != task.queue) {
                self.next = Some((task.queue, task.id));
                break;
            }
            queue = Some(task.queue);
            ids.push(task.id);
        }
        if let Some(queue) = queue {
            let copies = self.broker.copies(&queue, &ids).await?;
            for (id, copy) in ids.into_iter().zip(copies) {
                let Some(copy) = copy else { continue };
                let Some(record) = self.record(&queue, &id, copy).await? else { continue };
                self.tasks += 1;
                self.lines.push_back(line(&record));
            }
        }
        if self.is_over {
            self.lines.push_back(line(&Footer { asynq_export_end: Count { tasks: self.tasks } }));
        }
        Ok(())
    }

    /// What is written of a task; `None` where it cannot be read any more.
    async fn record(&self, queue: &QueueName, id: &TaskId, copy: TaskCopy) -> Result<Option<Record>> {
        let TaskCopy { mut fields, score, mut lock } = copy;
        let text = |name: &str| fields.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (state, until) = (text("state").unwrap_or_default(), text("x_until"));
        let Some(message) = fields.get("msg").and_then(|bytes| TaskMessage::decode(bytes.clone()).ok())
        else {
            return Ok(None);
        };
        let prefix = self.broker.keyspace().queue(queue).prefix().to_owned();
        if lock.is_none() && !fields.contains_key("unique_key") && message.unique_key.starts_with(&prefix) {
            // Compat: Go notes the lock of a grouped task in its message alone.
            let key = message.unique_key.clone();
            lock = self.broker.lock_standings(queue, &[key]).await?.pop().flatten();
        }
        fields.retain(|name, _| !ELSEWHERE.contains(&name.as_str()));
        let held = lock.filter(|lock| lock.holder == *id);
        let lock = held.and_then(|lock| {
            let left = i64::try_from(lock.expires_in?.as_millis().div_ceil(1_000)).ok()?;
            Some(Lock {
                until: lock_until(lock.is_kept, until.as_deref()).as_str().to_owned(),
                expires_at: self.broker.clock().unix_seconds().saturating_add(left),
            })
        });
        let fields: BTreeMap<String, Blob> =
            fields.into_iter().map(|(name, value)| (name, Blob(value))).collect();
        // Where they stand counts, and not what they say of it.
        let (id, queue) = (id.to_string(), queue.to_string());
        Ok(Some(Record { id, queue, score, fields, lock, ..Record::new(message, &state) }))
    }
}

fn line(what: &impl serde::Serialize) -> String {
    // Texts and numbers alone: there is nothing in it that JSON cannot say.
    serde_json::to_string(what).unwrap_or_default()
}
