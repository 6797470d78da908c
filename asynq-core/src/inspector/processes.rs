//! Servers, schedulers, and the nodes of a cluster.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{ClusterMember, ClusterNode, Inspector, Page, StoreInfo};
use crate::error::{Error, Result};
use crate::task::{InvalidOption, QueueName, Task, TaskId, TaskOptions, TaskType};
use crate::telemetry::RunTimes;
use crate::wire::{
    EnqueueOption, GoString, InvalidOptionString, SchedulerEnqueueEvent, SchedulerEntry, ServerInfo,
    WireTimestamp, WorkerInfo,
};

/// A server, as it last told about itself; it does so every few seconds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServerStatus {
    /// Its ID.
    pub id: String,
    /// The host it runs on.
    pub host: String,
    /// Its process ID there.
    pub pid: i32,
    /// How many tasks it runs at a time.
    pub concurrency: i32,
    /// Its queues and their priorities.
    pub queues: BTreeMap<String, i32>,
    /// Whether a queue is served only while those of higher priority are empty.
    pub strict_priority: bool,
    /// `active`, or `stopped` or `closed` while it shuts down.
    pub status: String,
    /// When it started.
    pub started: Option<Timestamp>,
    /// Which version of ours it runs; `None` of Go's servers, which do not say.
    pub version: Option<String>,
    /// The tasks it runs, by ID.
    pub running: Vec<RunningTask>,
}

/// What a server left of how long its runs took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerRunTimes {
    /// Its name: `<host>:<pid>:<id>`.
    pub server: String,
    /// By queue and type, since it started.
    pub times: Vec<RunTimes>,
}

/// A task that a server runs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunningTask {
    /// The task's ID.
    pub id: TaskId,
    /// Its type.
    pub task_type: TaskType,
    /// Its payload.
    pub payload: Bytes,
    /// Its queue.
    pub queue: QueueName,
    /// When this attempt started.
    pub started: Option<Timestamp>,
    /// When this attempt must end.
    pub deadline: Option<Timestamp>,
}

/// A worker past the end of its task's time ends within this, or does not hear that it should.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

impl RunningTask {
    /// Whether it should have ended and goes on: its handler does not heed cancellation.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| now.duration_since(deadline) > PATIENCE)
    }
}

/// A periodic task, as its scheduler last told about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScheduledEntry {
    /// Its ID.
    pub id: String,
    /// When it fires: the specification as it was registered.
    pub spec: String,
    /// The type of its tasks.
    pub task_type: TaskType,
    /// Their payload.
    pub payload: Bytes,
    /// Their options, those that can be read.
    pub options: Vec<EnqueueOption>,
    /// Options that cannot be read, as text.
    pub unreadable_options: Vec<String>,
    /// When it fires next; `None` for never again.
    pub next: Option<Timestamp>,
    /// When it fired last.
    pub prev: Option<Timestamp>,
}

/// A task that a scheduler entry has enqueued.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EnqueueEvent {
    /// The ID of the task.
    pub task_id: String,
    /// When that was.
    pub enqueued_at: Option<Timestamp>,
}

/// An entry is late when it should have fired so long ago.
const LATE: SignedDuration = SignedDuration::from_mins(1);

impl ScheduledEntry {
    /// A task as this entry enqueues it when it fires, for whoever wants one at once: with its options, but for those that
    /// put it off. Without its uniqueness lock where some of its options cannot be read, for these may say what it locks.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] when an option has a value that can never be right.
    pub fn task(&self) -> Result<Task> {
        let mut options = TaskOptions::new();
        for option in &self.options {
            options = match option {
                EnqueueOption::MaxRetry(times) => {
                    options.max_retry(u32::try_from(*times).unwrap_or(u32::MAX))
                }
                EnqueueOption::Queue(name) => options.queue(text(name)?),
                EnqueueOption::Timeout(limit) => options.timeout(limit.to_std().unwrap_or_default()),
                EnqueueOption::Deadline(at) => {
                    at.instant().map_or(options.clone(), |at| options.deadline(at))
                }
                EnqueueOption::Unique(time) if self.unreadable_options.is_empty() => {
                    options.unique(time.to_std().unwrap_or_default())
                }
                EnqueueOption::TaskId(id) => options.task_id(text(id)?),
                EnqueueOption::Retention(keep) => options.retention(keep.to_std().unwrap_or_default()),
                EnqueueOption::Group(name) => options.group(text(name)?),
                EnqueueOption::Header(name, value) => options.header(name, value),
                EnqueueOption::Unique(_) | EnqueueOption::ProcessAt(_) | EnqueueOption::ProcessIn(_) => {
                    options
                }
            };
        }
        Ok(Task::new(&self.task_type, self.payload.clone())?.options(options))
    }

    /// Whether it should have fired more than a minute ago: its scheduler hangs, or its clock is wrong.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.next.is_some_and(|next| now.duration_since(next) > LATE)
    }

    /// The queue to which it enqueues.
    pub fn queue(&self) -> &str {
        let named = self.options.iter().find_map(|option| match option {
            EnqueueOption::Queue(name) => name.to_str(),
            _ => None,
        });
        named.unwrap_or(QueueName::DEFAULT)
    }
}

/// Go's strings are bytes; names are text.
fn text(option: &GoString) -> Result<&str> {
    option.to_str().ok_or_else(|| InvalidOption::new("option", &format_args!("{option:?} is no text")).into())
}

impl Inspector {
    /// The servers that live, by ID, each with the tasks it runs.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn servers(&self) -> Result<Vec<ServerStatus>> {
        let mut servers: Vec<_> = self.broker.servers().await?.into_iter().map(ServerStatus::from).collect();
        servers.sort_by(|one, two| one.id.cmp(&two.id));
        Ok(servers)
    }

    /// What servers left of how long their runs took, if they [do](crate::server::ServerBuilder::run_times): by name, those
    /// that have ended too for a minute. Go's do not.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn run_times(&self) -> Result<Vec<ServerRunTimes>> {
        let all = self.broker.run_times().await?.into_iter();
        let mut all: Vec<_> =
            all.map(|(server, times)| ServerRunTimes { server, times: RunTimes::decode(&times) }).collect();
        all.sort_by(|one, two| one.server.cmp(&two.server));
        Ok(all)
    }

    /// The entries of all schedulers that live.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn scheduler_entries(&self) -> Result<Vec<ScheduledEntry>> {
        Ok(self.broker.scheduler_entries().await?.into_iter().map(ScheduledEntry::from).collect())
    }

    /// What a scheduler entry has enqueued, newest first; none for an entry that is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn enqueue_events(&self, entry_id: impl AsRef<str>, page: Page) -> Result<Vec<EnqueueEvent>> {
        let events = self.broker.enqueue_events(entry_id.as_ref(), page.offset(), page.size()).await?;
        Ok(events.into_iter().map(EnqueueEvent::from).collect())
    }

    /// Forgets servers, workers and schedulers that died long ago: how many entries. They are not shown either way.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn remove_stale_processes(&self) -> Result<usize> {
        Ok(self.broker.remove_stale_processes().await?)
    }

    /// The cluster slot that holds a queue's keys.
    ///
    /// # Errors
    ///
    /// [`Error::NotACluster`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn cluster_key_slot(&self, queue: impl AsRef<str>) -> Result<u16> {
        self.broker.cluster_key_slot(&QueueName::new(queue)?).await?.ok_or(Error::NotACluster)
    }

    /// The cluster nodes that hold a queue's keys, the master first; none where nobody serves its slot.
    ///
    /// # Errors
    ///
    /// [`Error::NotACluster`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn cluster_nodes(&self, queue: impl AsRef<str>) -> Result<Vec<ClusterNode>> {
        self.broker.cluster_nodes(&QueueName::new(queue)?).await?.ok_or(Error::NotACluster)
    }

    /// All nodes of the cluster, as one of them tells.
    ///
    /// # Errors
    ///
    /// [`Error::NotACluster`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn cluster_members(&self) -> Result<Vec<ClusterMember>> {
        self.broker.cluster_members().await?.ok_or(Error::NotACluster)
    }

    /// Where the tasks are stored, without passwords; `None` for a broker in memory.
    pub fn store_address(&self) -> Option<String> {
        self.broker.address()
    }

    /// What Redis tells about itself, name by name, as its `INFO` has it and, in a cluster, `CLUSTER INFO`; nothing of a
    /// broker in memory.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn store_info(&self) -> Result<StoreInfo> {
        Ok(self.broker.store_info().await?)
    }

    /// The time where the tasks are stored; this machine's differs from it by what its clock is wrong.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn store_time(&self) -> Result<Timestamp> {
        Ok(self.broker.time().await?)
    }
}

impl From<(ServerInfo, Vec<WorkerInfo>)> for ServerStatus {
    fn from((info, workers): (ServerInfo, Vec<WorkerInfo>)) -> Self {
        Self {
            id: info.server_id,
            host: info.host,
            pid: info.pid,
            concurrency: info.concurrency,
            queues: info.queues,
            strict_priority: info.strict_priority,
            status: info.status,
            started: instant(info.start_time),
            version: Some(info.version).filter(|version| !version.is_empty()),
            running: workers.into_iter().map(RunningTask::from).collect(),
        }
    }
}

impl From<WorkerInfo> for RunningTask {
    fn from(worker: WorkerInfo) -> Self {
        Self {
            id: TaskId::stored(&worker.task_id),
            task_type: TaskType::stored(&worker.task_type),
            payload: worker.task_payload,
            queue: QueueName::stored(&worker.queue),
            started: instant(worker.start_time),
            deadline: instant(worker.deadline),
        }
    }
}

impl From<SchedulerEntry> for ScheduledEntry {
    fn from(entry: SchedulerEntry) -> Self {
        let (mut options, mut unreadable_options) = (Vec::new(), Vec::new());
        for text in entry.enqueue_options {
            match text.parse::<EnqueueOption>() {
                Ok(option) => options.push(option),
                Err(InvalidOptionString(text)) => unreadable_options.push(text),
            }
        }
        Self {
            id: entry.id,
            spec: entry.spec,
            task_type: TaskType::stored(&entry.task_type),
            payload: entry.task_payload,
            options,
            unreadable_options,
            next: instant(entry.next_enqueue_time),
            prev: instant(entry.prev_enqueue_time),
        }
    }
}

impl From<SchedulerEnqueueEvent> for EnqueueEvent {
    fn from(event: SchedulerEnqueueEvent) -> Self {
        Self { task_id: event.task_id, enqueued_at: instant(event.enqueue_time) }
    }
}

/// Compat: Go reads an absent time as 1970.
fn instant(at: Option<WireTimestamp>) -> Option<Timestamp> {
    at.unwrap_or_default().instant()
}
