//! [`Inspector`]: queues and tasks as they stand, and what can be done to one of them.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Collection;
use super::bulk::BulkChange;
use super::listing::{Page, TaskPage, TaskStream};
use crate::broker::{
    ArchiveLimits, Broker, Change, Changed, DailyStats, GroupInfo, QueueDeletion, QueueInfo, TaskDetail,
};
use crate::client::AsClient;
use crate::error::{Error, Result};
use crate::payload::Payloads;
use crate::task::{InvalidOption, QueueName, TaskId, TaskInfo, TaskState};

/// As many days of history as anybody may ask for. Counters last 90 days; those before are zero.
const MOST_DAYS: usize = 3_650;

/// How many queues are asked for a task at one time: their calls share one connection, and go out together.
const AT_A_TIME: usize = 64;

/// Looks at what is stored, and changes it. Cheap to clone; clones share the client's connection.
///
/// Names of queues and IDs are taken as text; a blank one is an [`InvalidOption`](Error::InvalidOption). A queue
/// exists once a task was sent to it; what is asked of one that does not exist gives
/// [`QueueNotFound`](Error::QueueNotFound) unless said otherwise.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::inspector::{Collection, Inspector, Page};
/// use asynq_core::task::{Task, TaskOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::in_memory();
/// let options = TaskOptions::new().queue("mail").task_id("a");
/// client.enqueue(Task::new("email:send", "{}")?.options(options)).await?;
///
/// let inspector = Inspector::new(&client);
/// assert_eq!(inspector.queue_info("mail").await?.pending, 1);
///
/// inspector.archive("mail", "a").await?;
/// let page = inspector.list("mail", Collection::Archived, Page::first()).await?;
/// assert_eq!(page.tasks[0].id, "a");
///
/// let deleted = inspector.delete_all("mail", Collection::Archived).await?;
/// assert_eq!(deleted.changed, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Inspector {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) payloads: Arc<Payloads>,
}

impl Inspector {
    /// An inspector of what this client's broker stores.
    pub fn new(client: &(impl AsClient + ?Sized)) -> Self {
        let client = client.as_client();
        Self { broker: Arc::clone(client.broker()), payloads: Arc::clone(client.stores_payloads()) }
    }

    /// The same, but what it archives is trimmed to these limits: those of the servers on the same queues.
    #[must_use]
    pub fn archive_limits(self, limits: ArchiveLimits) -> Self {
        Self { broker: self.broker.with_archive_limits(limits), ..self }
    }

    /// The names of all queues, sorted.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn queues(&self) -> Result<Vec<QueueName>> {
        Ok(self.broker.queues().await?)
    }

    /// A queue as it stands: how much it holds, how long tasks wait, what it processed.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn queue_info(&self, queue: impl AsRef<str>) -> Result<QueueInfo> {
        let queue = self.existing(queue).await?;
        Ok(self.broker.queue_info(&queue).await?)
    }

    /// A queue as it stands, and its groups that hold tasks, sorted: for no more than either costs.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn queue_with_groups(&self, queue: impl AsRef<str>) -> Result<(QueueInfo, Vec<GroupInfo>)> {
        let queue = self.existing(queue).await?;
        Ok(self.broker.queue_with_groups(&queue).await?)
    }

    /// All queues as they stand, by name, without [`memory_usage`](QueueInfo::memory_usage), which costs more than all
    /// the rest: what a list of thousands of queues is made of.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn queue_counts(&self) -> Result<Vec<QueueInfo>> {
        Ok(self.broker.queue_counts(&self.broker.queues().await?).await?)
    }

    /// The same of these queues, in this order; one that does not exist is empty.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn counts_of(&self, queues: &[QueueName]) -> Result<Vec<QueueInfo>> {
        Ok(self.broker.queue_counts(queues).await?)
    }

    /// What a queue processed on each of the last `days` days (UTC), today first. Counters last 90 days.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] unless `days` is from 1 to 3,650; [`Error::QueueNotFound`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn history(&self, queue: impl AsRef<str>, days: usize) -> Result<Vec<DailyStats>> {
        let name = QueueName::new(queue)?;
        if !(1..=MOST_DAYS).contains(&days) {
            let reason = format!("the number of days must be from 1 to {MOST_DAYS}, got {days}");
            return Err(InvalidOption::new("days", &reason).into());
        }
        let queue = self.existing(&name).await?;
        Ok(self.broker.history(&queue, days).await?)
    }

    /// The groups of a queue that hold tasks, sorted; none for a queue that does not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn groups(&self, queue: impl AsRef<str>) -> Result<Vec<GroupInfo>> {
        Ok(self.broker.group_sizes(&QueueName::new(queue)?).await?)
    }

    /// One page of the tasks of a collection, in its order. For all of them, [`tasks`](Self::tasks) passes over nothing
    /// when others change the collection meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn list(&self, queue: impl AsRef<str>, collection: Collection, page: Page) -> Result<TaskPage> {
        let queue = self.existing(queue).await?;
        TaskPage::read(&self.broker, &queue, &collection, page).await
    }

    /// All tasks of a collection, in its order, a hundred for each round trip.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn tasks(&self, queue: impl AsRef<str>, collection: Collection) -> Result<TaskStream> {
        let queue = self.existing(queue).await?;
        Ok(TaskStream::new(Arc::clone(&self.broker), queue, collection))
    }

    /// All that is known of one task: also its lease, its lock and who runs it.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`], [`Error::TaskNotFound`], [`Error::UnreadableTask`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn task(&self, queue: impl AsRef<str>, id: impl AsRef<str>) -> Result<TaskDetail> {
        let (queue, id) = self.names(queue, id).await?;
        self.detail(&queue, &id).await
    }

    /// The tasks of this ID in all queues: those of different queues have nothing to do with each other. It is quick
    /// however many tasks there are: each queue is asked for this one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a blank ID, [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn locate(&self, id: impl AsRef<str>) -> Result<Vec<TaskInfo>> {
        let id = TaskId::new(id)?;
        let asked = stream::iter(self.broker.queues().await?).map(|queue| {
            let id = &id;
            async move { self.broker.task_info(&queue, id).await }
        });
        let found = asked.buffered(AT_A_TIME).try_filter_map(async |task| Ok(task));
        Ok(found.try_collect().await?)
    }

    /// Makes a task pending, ahead of its time or once more; a completed one too. It leaves its group, and how often
    /// workers died with it is forgotten.
    ///
    /// # Errors
    ///
    /// [`Error::WrongState`] when it is pending or active; [`Error::QueueNotFound`], [`Error::TaskNotFound`],
    /// [`Error::TaskStaged`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn run(&self, queue: impl AsRef<str>, id: impl AsRef<str>) -> Result<()> {
        self.change(queue, id, Change::Run).await
    }

    /// Gives a task up: it is kept for inspection, and can be [run](Self::run) again. Its lock lasts as long as it would.
    /// The archive of a queue keeps 9,999 tasks for 90 days, as in Go; what is beyond is deleted, a few hundred for each call.
    ///
    /// # Errors
    ///
    /// [`Error::WrongState`] when it is archived or active; [`Error::QueueNotFound`], [`Error::TaskNotFound`],
    /// [`Error::TaskStaged`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn archive(&self, queue: impl AsRef<str>, id: impl AsRef<str>) -> Result<()> {
        self.change(queue, id, Change::Archive).await
    }

    /// Deletes a task and releases its lock. It need not be readable.
    ///
    /// # Errors
    ///
    /// [`Error::WrongState`] when it is active: [cancel](Self::cancel) it first; [`Error::QueueNotFound`],
    /// [`Error::TaskNotFound`], [`Error::TaskStaged`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn delete(&self, queue: impl AsRef<str>, id: impl AsRef<str>) -> Result<()> {
        self.change(queue, id, Change::Delete).await
    }

    /// Asks whichever server runs the task to cancel it. Best effort: success says nothing about anybody listening.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be asked.
    pub async fn cancel(&self, id: impl AsRef<str>) -> Result<()> {
        Ok(self.broker.publish_cancellation(&TaskId::new(id)?).await?)
    }

    /// Makes all tasks of a collection pending: scheduled, retry, archived, completed or a group. Await it; see
    /// [`BulkChange`].
    pub fn run_all(&self, queue: impl AsRef<str>, collection: Collection) -> BulkChange {
        BulkChange::new(self, queue, collection, Change::Run)
    }

    /// Archives all tasks of a collection: pending, scheduled, retry, completed or a group. Await it; see [`BulkChange`].
    pub fn archive_all(&self, queue: impl AsRef<str>, collection: Collection) -> BulkChange {
        BulkChange::new(self, queue, collection, Change::Archive)
    }

    /// Deletes all tasks of a collection other than active, and releases their locks. Await it; see [`BulkChange`].
    pub fn delete_all(&self, queue: impl AsRef<str>, collection: Collection) -> BulkChange {
        BulkChange::new(self, queue, collection, Change::Delete)
    }

    /// Pauses a queue: workers take nothing more from it until it is resumed; what runs goes on. `false` when it was
    /// paused already. The queue need not exist yet.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn pause(&self, queue: impl AsRef<str>) -> Result<bool> {
        Ok(self.broker.pause(&QueueName::new(queue)?).await?)
    }

    /// Resumes a queue; `false` when it was not paused.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn resume(&self, queue: impl AsRef<str>) -> Result<bool> {
        Ok(self.broker.resume(&QueueName::new(queue)?).await?)
    }

    /// Deletes a queue that holds nothing but completed tasks, and everything that belongs to it: those, counters, locks,
    /// the pause. A producer that uses it again makes it anew.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotEmpty`], also for tasks in groups, which Go would leave behind; [`Error::QueueNotFound`],
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the queue may be empty and still exist: delete it again.
    pub async fn delete_queue(&self, queue: impl AsRef<str>) -> Result<()> {
        self.drop_queue(queue, false).await
    }

    /// Deletes a queue with all its tasks. What is enqueued meanwhile may or may not be deleted as well.
    ///
    /// # Errors
    ///
    /// [`Error::QueueBusy`] while tasks are active; [`Error::QueueNotFound`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the queue may be empty and still exist: delete it again.
    pub async fn force_delete_queue(&self, queue: impl AsRef<str>) -> Result<()> {
        self.drop_queue(queue, true).await
    }

    async fn drop_queue(&self, queue: impl AsRef<str>, force: bool) -> Result<()> {
        let queue = QueueName::new(queue)?;
        match self.broker.delete_queue(&queue, force).await? {
            QueueDeletion::Deleted => Ok(()),
            QueueDeletion::NotFound => Err(Error::QueueNotFound { queue }),
            QueueDeletion::NotEmpty(_) => Err(Error::QueueNotEmpty { queue }),
            QueueDeletion::Busy(active) => Err(Error::QueueBusy { queue, active }),
        }
    }

    async fn change(&self, queue: impl AsRef<str>, id: impl AsRef<str>, change: Change) -> Result<()> {
        let (queue, id) = self.names(queue, id).await?;
        match self.broker.change(&queue, &id, change).await? {
            Changed::Applied => Ok(()),
            Changed::NotFound => Err(Error::TaskNotFound { queue, id }),
            Changed::Staged => Err(Error::TaskStaged { queue, id }),
            Changed::Refused(state) => {
                Err(Error::WrongState { queue, id, state, remedy: remedy(change, state) })
            }
        }
    }

    /// A task that must be there and readable.
    pub(super) async fn detail(&self, queue: &QueueName, id: &TaskId) -> Result<TaskDetail> {
        match self.broker.task_detail(queue, id).await? {
            Some(Ok(detail)) => Ok(detail),
            Some(Err(source)) => Err(Error::UnreadableTask { queue: queue.clone(), id: id.clone(), source }),
            None => Err(Error::TaskNotFound { queue: queue.clone(), id: id.clone() }),
        }
    }

    /// A queue that must exist, and an ID.
    pub(super) async fn names(
        &self,
        queue: impl AsRef<str>,
        id: impl AsRef<str>,
    ) -> Result<(QueueName, TaskId)> {
        let (queue, id) = (QueueName::new(queue)?, TaskId::new(id)?);
        Ok((self.existing(&queue).await?, id))
    }

    /// A queue that must exist.
    pub(super) async fn existing(&self, queue: impl AsRef<str>) -> Result<QueueName> {
        let queue = QueueName::new(queue)?;
        if self.broker.queue_exists(&queue).await? { Ok(queue) } else { Err(Error::QueueNotFound { queue }) }
    }
}

/// What to do with a task that is in the wrong state for this.
fn remedy(change: Change, state: TaskState) -> &'static str {
    match (change, state) {
        (Change::Run, TaskState::Pending) => "it will run as soon as a worker is free",
        (Change::Run, _) => "it is running",
        (Change::Archive, TaskState::Archived) => "there is nothing to do",
        _ => "cancel it first, or wait until it has ended",
    }
}
