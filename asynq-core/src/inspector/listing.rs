//! [`Page`] and [`TaskStream`]: the tasks of a collection, some or all of them.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::unfold;

use super::met::Met;
use super::{Collection, Unreadable};
use crate::broker::{Broker, Listed, ScanCursor};
use crate::error::Result;
use crate::task::{InvalidOption, QueueName, TaskId, TaskInfo};

/// How many tasks one call reads for a stream.
const CHUNK: usize = 100;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// How many tasks a page has unless told otherwise: 30, as in Go.
    pub const DEFAULT_SIZE: usize = 30;

    /// How many tasks a page may have: 1,000. For more there are streams.
    pub const MAX_SIZE: usize = 1_000;

    /// The first page, of 30.
    pub fn first() -> Self {
        Self { number: 1, size: Self::DEFAULT_SIZE }
    }

    /// Page `number`, counted from 1, of pages of `size`.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`] when `number` is 0, or `size` not from 1 to [`MAX_SIZE`](Self::MAX_SIZE).
    pub fn new(number: usize, size: usize) -> Result<Self, InvalidOption> {
        if number == 0 {
            return Err(InvalidOption::new("page", &"pages are counted from 1, got 0"));
        }
        if !(1..=Self::MAX_SIZE).contains(&size) {
            let reason = format!("a page has from 1 to {} entries, got {size}", Self::MAX_SIZE);
            return Err(InvalidOption::new("page size", &reason));
        }
        Ok(Self { number, size })
    }

    /// Which page, from 1.
    pub fn number(self) -> usize {
        self.number
    }

    /// How many entries it has at most.
    pub fn size(self) -> usize {
        self.size
    }

    /// How many entries come before it.
    pub fn offset(self) -> usize {
        (self.number - 1).saturating_mul(self.size)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first()
    }
}

/// One page of tasks.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TaskPage {
    /// The tasks, in the order of their collection.
    pub tasks: Vec<TaskInfo>,
    /// What stands among them and cannot be read. [Delete](super::Inspector::delete) it, or let a bulk change drop it.
    pub unreadable: Vec<UnreadableTask>,
    /// Whether the collection goes on behind this page, as far as is known.
    pub has_more: bool,
}

/// An ID whose task cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct UnreadableTask {
    /// The ID.
    pub id: TaskId,
    /// Why not.
    pub reason: Unreadable,
}

impl TaskPage {
    pub(super) async fn read(
        broker: &Arc<dyn Broker>,
        queue: &QueueName,
        collection: &Collection,
        page: Page,
    ) -> Result<Self> {
        let mut read = Self::default();
        let (mut next, mut missing) = (Some(ScanCursor::at(page.offset())), page.size);
        while let Some(cursor) = next.filter(|_| missing > 0) {
            let scan = broker.scan(queue, collection, &cursor, missing).await?;
            missing -= scan.tasks.len().min(missing);
            read.has_more = scan.next.is_some();
            next = scan.next;
            for Listed { id, task } in scan.tasks {
                match task {
                    Ok(task) => read.tasks.push(task),
                    Err(reason) => read.unreadable.push(UnreadableTask { id, reason }),
                }
            }
        }
        Ok(read)
    }
}

/// All tasks of a collection, while others change it: a task that stays there is never passed over, and none comes
/// twice. What enters after the start may or may not be seen.
///
/// It remembers some 30 bytes of each that it has given. What cannot be read is left out and kept in
/// [`unreadable`](Self::unreadable).
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::inspector::{Collection, Inspector};
/// use asynq_core::task::Task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::in_memory();
/// client.enqueue_all((0..250).map(|_| Task::without_payload("t").unwrap())).await;
///
/// let mut tasks = Inspector::new(&client).tasks("default", Collection::Pending).await?;
/// let mut seen = 0;
/// while let Some(task) = tasks.next().await {
///     assert_eq!(task?.task_type, "t");
///     seen += 1;
/// }
/// assert_eq!(seen, 250);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TaskStream {
    broker: Arc<dyn Broker>,
    queue: QueueName,
    collection: Collection,
    read: VecDeque<TaskInfo>,
    unreadable: Vec<UnreadableTask>,
    met: Met,
    next: Option<ScanCursor>,
}

impl TaskStream {
    pub(super) fn new(broker: Arc<dyn Broker>, queue: QueueName, collection: Collection) -> Self {
        Self {
            broker,
            queue,
            collection,
            read: VecDeque::new(),
            unreadable: Vec::new(),
            met: Met::default(),
            next: Some(ScanCursor::default()),
        }
    }

    /// The next task; `None` at the end. After an error it goes on where it was.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<TaskInfo>> {
        loop {
            if let Some(task) = self.read.pop_front() {
                return Some(Ok(task));
            }
            let scan = match self.broker.scan(&self.queue, &self.collection, self.next.as_ref()?, CHUNK).await
            {
                Ok(scan) => scan,
                Err(error) => return Some(Err(error.into())),
            };
            self.next = scan.next;
            for Listed { id, task } in scan.tasks {
                if !self.met.is_new(&self.queue, &id) {
                    continue;
                }
                match task {
                    Ok(task) => self.read.push_back(task),
                    Err(reason) => self.unreadable.push(UnreadableTask { id, reason }),
                }
            }
        }
    }

    /// What was met so far that cannot be read.
    pub fn unreadable(&self) -> &[UnreadableTask] {
        &self.unreadable
    }

    /// The same as a [`Stream`], for its combinators.
    pub fn into_stream(self) -> impl Stream<Item = Result<TaskInfo>> + Send {
        unfold(self, async |mut tasks| {
            let next = tasks.next().await?;
            Some((next, tasks))
        })
    }
}
