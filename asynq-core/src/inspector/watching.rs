//! [`TaskWatch`]: what becomes of tasks, told by looking again and again.

use std::collections::HashMap;

use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use tokio::time::{Instant, sleep};

use super::{Inspector, Search, Selection};
use crate::error::Result;
use crate::task::{QueueName, TaskId, TaskInfo, TaskState, TaskType};

/// How many tasks that are missed are looked up at a time.
const AT_A_TIME: usize = 16;

/// How much longer than one part of a look the time is that others have then.
const OTHERS: u32 = 4;

/// What became of a task between two looks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskChange {
    /// Its queue.
    pub queue: QueueName,
    /// Its ID.
    pub id: TaskId,
    /// Its type.
    pub task_type: TaskType,
    /// In which state it was; `None` when it was not there, or did not fit.
    pub from: Option<TaskState>,
    /// In which state it is; `None` when it is not there any more: deleted, moved, or done and not kept.
    pub to: Option<TaskState>,
    /// How often it was retried.
    pub retried: i32,
    /// The text of its last error; empty for none.
    pub last_error: String,
}

/// Looks at the tasks of a selection again and again, and tells what became of them in between: the only way that all
/// brokers and all workers, Go's too, leave.
///
/// It tells the difference between two looks, not all that happened: a task that comes, is done and is not kept within
/// that time is never seen, and of several changes the last one is told. Every look reads the whole selection, so the
/// smaller that is, the less it costs; of a large one it reads a part at a time, and between two parts it leaves the store
/// to others for four times as long.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::inspector::{Inspector, Selection};
/// use asynq_core::task::{Task, TaskOptions, TaskState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::in_memory();
/// client.enqueue(Task::new("t", "")?.options(TaskOptions::new().task_id("a"))).await?;
///
/// let inspector = Inspector::new(&client);
/// let mut tasks = inspector.watch(Selection::new());
/// assert!(tasks.look().await?.is_empty());
/// inspector.archive("default", "a").await?;
/// let change = &tasks.look().await?[0];
/// assert_eq!((change.from, change.to), (Some(TaskState::Pending), Some(TaskState::Archived)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TaskWatch {
    inspector: Inspector,
    selection: Selection,
    /// `None` before the first look.
    seen: Option<HashMap<Name, Seen>>,
}

type Name = (QueueName, TaskId);

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    task_type: TaskType,
    state: TaskState,
    retried: i32,
    last_error: String,
}

impl From<TaskInfo> for Seen {
    fn from(task: TaskInfo) -> Self {
        let TaskInfo { task_type, state, retried, last_error, .. } = task;
        Self { task_type, state, retried, last_error }
    }
}

impl Inspector {
    /// Watches the tasks of a selection: see [`TaskWatch`].
    pub fn watch(&self, selection: Selection) -> TaskWatch {
        TaskWatch { inspector: self.clone(), selection, seen: None }
    }
}

impl TaskWatch {
    /// What became of the tasks since the last look; nothing at the first one, which only remembers them.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`](crate::Error::QueueNotFound), [`Error::InvalidOption`](crate::Error::InvalidOption),
    /// [`Error::Broker`](crate::Error::Broker). The next look tells what this one did not.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn look(&mut self) -> Result<Vec<TaskChange>> {
        let mut now = HashMap::new();
        let mut search = Search::new(self.selection.clone().limit(usize::MAX));
        loop {
            let began = Instant::now();
            let part = self.inspector.search(&search).await?;
            // Of two places in which it was met, it went from the first to the second.
            now.extend(
                part.tasks.into_iter().map(|task| ((task.queue.clone(), task.id.clone()), Seen::from(task))),
            );
            let Some(next) = part.next else { break };
            search = search.from(next);
            sleep(began.elapsed() * OTHERS).await;
        }
        let Some(before) = &self.seen else {
            self.seen = Some(now);
            return Ok(Vec::new());
        };
        // It may have passed from a place that was not yet looked at to one that had been, or fit no more; or others were
        // taken out in front of it between two parts.
        let missed = before.iter().filter(|(name, _)| !now.contains_key(*name));
        let missed: Vec<(&Name, &Seen, Option<Seen>)> = iter(missed)
            .map(async |(name, was)| Ok::<_, crate::Error>((name, was, self.inspector.seen(name).await?)))
            .buffer_unordered(AT_A_TIME)
            .try_collect()
            .await?;
        let mut changes = Vec::new();
        for (name, is) in &now {
            let was = before.get(name);
            if was.is_none_or(|was| (was.state, was.retried) != (is.state, is.retried)) {
                changes.push(change(name, is, was.map(|was| was.state), Some(is.state)));
            }
        }
        let mut passed = Vec::new();
        for (name, was, is) in missed {
            match is {
                Some(is) if is.state == was.state => passed.push((name.clone(), is)),
                Some(is) => changes.push(change(name, &is, Some(was.state), Some(is.state))),
                None => changes.push(change(name, was, Some(was.state), None)),
            }
        }
        now.extend(passed);
        changes.sort_by(|a, b| (&a.queue, &a.id).cmp(&(&b.queue, &b.id)));
        self.seen = Some(now);
        Ok(changes)
    }
}

impl Inspector {
    /// A task as it stands; nothing where it is not, or cannot be read.
    async fn seen(&self, (queue, id): &Name) -> Result<Option<Seen>> {
        let detail = self.broker.task_detail(queue, id).await?;
        Ok(detail.and_then(std::result::Result::ok).map(|detail| Seen::from(detail.info)))
    }
}

fn change((queue, id): &Name, task: &Seen, from: Option<TaskState>, to: Option<TaskState>) -> TaskChange {
    TaskChange {
        queue: queue.clone(),
        id: id.clone(),
        task_type: task.task_type.clone(),
        from,
        to,
        retried: task.retried,
        last_error: task.last_error.clone(),
    }
}
