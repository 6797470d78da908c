//! [`Action`]: what can be done to a task; and to all tasks of a selection.

use std::collections::VecDeque;
use std::fmt;
use std::future::IntoFuture;
use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::met::Met;
use super::{Inspector, Selection, TaskEdit};
use crate::error::Result;
use crate::task::{TaskInfo, TaskState};

/// How many tasks are changed at a time.
const AT_A_TIME: usize = 16;

/// What an operator does to a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Make it pending: [`Inspector::run`].
    Run,
    /// Give it up: [`Inspector::archive`].
    Archive,
    /// Delete it: [`Inspector::delete`].
    Delete,
    /// Ask its worker to cancel it: [`Inspector::cancel`].
    Cancel,
    /// Move it to the queue of this name: [`Inspector::move_task`].
    Move(String),
    /// Enqueue it once more, in the queue of this name or its own: [`Inspector::copy_task`].
    Copy(Option<String>),
    /// Change its payload, options or time: [`Inspector::edit`].
    Edit(TaskEdit),
}

impl Action {
    /// Whether it can be done to a task in this state.
    pub fn allows(&self, state: TaskState) -> bool {
        match self {
            Self::Run => !matches!(state, TaskState::Pending | TaskState::Active),
            Self::Archive => !matches!(state, TaskState::Archived | TaskState::Active),
            Self::Delete => state != TaskState::Active,
            Self::Cancel => state == TaskState::Active,
            Self::Copy(_) => true,
            Self::Move(_) => !matches!(state, TaskState::Active | TaskState::Aggregating),
            Self::Edit(_) => {
                !matches!(state, TaskState::Active | TaskState::Completed | TaskState::Aggregating)
            }
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "run",
            Self::Archive => "archive",
            Self::Delete => "delete",
            Self::Cancel => "cancel",
            Self::Move(_) => "move",
            Self::Copy(_) => "copy",
            Self::Edit(_) => "edit",
        })
    }
}

impl Inspector {
    /// Does something to one task.
    ///
    /// # Errors
    ///
    /// Those of the method that the [`Action`] names.
    ///
    /// # Cancel safety
    ///
    /// That of the method that the [`Action`] names.
    pub async fn apply(&self, action: &Action, queue: impl AsRef<str>, id: impl AsRef<str>) -> Result<()> {
        match action {
            Action::Run => self.run(queue, id).await,
            Action::Archive => self.archive(queue, id).await,
            Action::Delete => self.delete(queue, id).await,
            Action::Cancel => self.cancel(id).await,
            Action::Move(to) => self.move_task(queue, id, to).await.map(drop),
            Action::Copy(to) => self.copy_task(queue, id, to.as_deref()).await.map(drop),
            Action::Edit(edit) => self.edit(queue, id, edit.clone()).await.map(drop),
        }
    }

    /// Does something to every task of a selection, several at a time: await it. Those in states that do not
    /// [allow](Action::allows) it are left out, and so are those that a move would leave where they are. Each task has
    /// its turn once, wherever it is found.
    ///
    /// What fails is counted and told to [`watch`](SelectionChange::watch); the rest goes on. A task that came into
    /// another state since it was found is one of those.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::inspector::{Action, Inspector, Selection};
    /// use asynq_core::task::{Task, TaskOptions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// client.enqueue_all((0..30).map(|n| Task::new("t", format!("{{\"n\":{n}}}")).unwrap())).await;
    ///
    /// let inspector = Inspector::new(&client);
    /// let selection = Selection::new().filter("payload.n:>=20".parse()?);
    /// let done = inspector.apply_to(selection, Action::Archive).await?;
    /// assert_eq!((done.changed, done.failed), (10, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply_to(&self, selection: Selection, action: Action) -> SelectionChange {
        SelectionChange { inspector: self.clone(), selection, action, pace: None, watch: None }
    }
}

/// Something that is done to all tasks of a selection: await it.
///
/// # Errors
///
/// [`Error::QueueNotFound`](crate::Error::QueueNotFound), [`Error::InvalidOption`](crate::Error::InvalidOption);
/// [`Error::Broker`](crate::Error::Broker) when tasks cannot be found any more: what was changed until then stays
/// changed.
///
/// # Cancel safety
///
/// Dropped half-way, any part of the tasks may be changed; none is lost.
#[must_use = "nothing is changed until it is awaited"]
pub struct SelectionChange {
    inspector: Inspector,
    selection: Selection,
    action: Action,
    pace: Option<Duration>,
    watch: Option<Watch>,
}

type Watch = Box<dyn FnMut(&TaskInfo, &Result<()>) -> ControlFlow<()> + Send>;

/// What became of the tasks of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectionChanged {
    /// Tasks that were changed.
    pub changed: usize,
    /// Tasks that could not be changed.
    pub failed: usize,
    /// Whether it was stopped before all were reached.
    pub stopped: bool,
}

impl SelectionChange {
    /// Calls `watch` for each task that was changed, or could not be; [`ControlFlow::Break`] starts no more.
    pub fn watch(
        mut self,
        watch: impl FnMut(&TaskInfo, &Result<()>) -> ControlFlow<()> + Send + 'static,
    ) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Changes no more than one task in this time: what a worker fleet, or what it calls, can bear.
    pub fn pace(mut self, every: Duration) -> Self {
        self.pace = Some(every);
        self
    }

    async fn run(mut self) -> Result<SelectionChanged> {
        let selection = self.selection.clone().allowing(&self.action);
        let mut found = self.inspector.find(selection).await?;
        // Copies may be found as well: what is copied is what was there before the first of them.
        let mut read = VecDeque::new();
        if matches!(self.action, Action::Copy(_)) {
            while let Some(task) = found.next().await {
                read.push_back(task?);
            }
        }
        let (mut done, mut met) = (SelectionChanged::default(), Met::default());
        let mut running = FuturesUnordered::new();
        let at_a_time = if self.pace.is_some() { 1 } else { AT_A_TIME };
        let mut more = true;
        loop {
            while more && running.len() < at_a_time {
                let next = match read.pop_front() {
                    Some(task) => Some(Ok(task)),
                    None => found.next().await,
                };
                match next {
                    Some(task) => {
                        let task = task?;
                        // One that is on its way from one place to another may be found in both.
                        if met.is_new(&task.queue, &task.id) {
                            running.push(changed(&self.inspector, &self.action, task));
                        }
                    }
                    None => more = false,
                }
            }
            let Some((task, result)) = running.next().await else { return Ok(done) };
            done.changed += usize::from(result.is_ok());
            done.failed += usize::from(result.is_err());
            let goes_on =
                self.watch.as_mut().map_or(ControlFlow::Continue(()), |watch| watch(&task, &result));
            if goes_on.is_break() && more {
                (more, done.stopped) = (false, true);
            }
            if let (Some(pace), true) = (self.pace, more) {
                tokio::time::sleep(pace).await;
            }
        }
    }
}

async fn changed(inspector: &Inspector, action: &Action, task: TaskInfo) -> (TaskInfo, Result<()>) {
    let result = inspector.apply(action, &task.queue, &task.id).await;
    (task, result)
}

impl IntoFuture for SelectionChange {
    type Output = Result<SelectionChanged>;
    type IntoFuture = BoxFuture<'static, Result<SelectionChanged>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for SelectionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectionChange")
            .field("selection", &self.selection)
            .field("action", &self.action)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
