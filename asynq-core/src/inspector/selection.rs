//! [`Selection`] and [`FoundTasks`]: the tasks of many queues and states that fit a filter.

use std::collections::VecDeque;
use std::sync::Arc;

use super::listing::TaskStream;
use super::{Action, Collection, Filter, Inspector};
use crate::broker::Broker;
use crate::error::Result;
use crate::task::{QueueName, TaskInfo, TaskState};

/// Which tasks: of these queues, in these states, that fit this filter. All tasks unless told otherwise.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::inspector::{Inspector, Selection};
/// use asynq_core::task::{Task, TaskState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::in_memory();
/// client.enqueue(Task::new("email:send", r#"{"to":"ann"}"#)?).await?;
/// client.enqueue(Task::new("email:send", r#"{"to":"bob"}"#)?).await?;
///
/// let selection = Selection::new().state(TaskState::Pending).filter("payload.to:bob".parse()?);
/// let mut found = Inspector::new(&client).find(selection).await?;
/// assert_eq!(found.next().await.transpose()?.unwrap().payload, r#"{"to":"bob"}"#);
/// assert!(found.next().await.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Selection {
    queues: Vec<String>,
    /// In any state when none is named.
    states: Option<Vec<TaskState>>,
    pub(super) group: Option<String>,
    pub(super) filter: Filter,
    pub(super) limit: Option<usize>,
    /// Not of this queue.
    except: Option<String>,
}

impl Selection {
    /// All tasks of all queues.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of this queue, and of others that are given likewise.
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.queues.push(name.into());
        self
    }

    /// In this state, or in others that are given likewise.
    pub fn state(mut self, state: TaskState) -> Self {
        self.states.get_or_insert_default().push(state);
        self
    }

    /// Of those in groups, only the ones in this group.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = Some(name.into());
        self
    }

    /// That fit this filter.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// No more than so many.
    pub fn limit(mut self, most: usize) -> Self {
        self.limit = Some(most);
        self
    }

    /// Only those in states that [allow](Action::allows) this; of a move, those that are not in that queue already.
    pub fn allowing(mut self, action: &Action) -> Self {
        if let Action::Move(to) = action {
            self.except = Some(to.clone());
        }
        let states = self.states.unwrap_or_else(|| TaskState::ALL.to_vec());
        self.states = Some(states.into_iter().filter(|state| action.allows(*state)).collect());
        self
    }

    /// In which states tasks may fit.
    fn wanted_states(&self) -> Vec<TaskState> {
        let named = |state: &TaskState| self.states.as_ref().is_none_or(|states| states.contains(state));
        self.filter.states().filter(named).collect()
    }
}

impl Inspector {
    /// The tasks of a selection, queue by queue and state by state, while others change them: read in parts of a hundred.
    ///
    /// A task that goes from one state to another meanwhile may be passed over, or come twice.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`](crate::Error::QueueNotFound) for a queue that is named and does not exist;
    /// [`Error::InvalidOption`](crate::Error::InvalidOption), [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn find(&self, selection: Selection) -> Result<FoundTasks> {
        let places = self.places(&selection).await?.into();
        let left = selection.limit.unwrap_or(usize::MAX);
        let broker = Arc::clone(&self.broker);
        let (filter, group) = (selection.filter, selection.group);
        Ok(FoundTasks {
            broker,
            filter,
            group,
            places,
            collections: VecDeque::new(),
            reading: None,
            left,
            unreadable: 0,
        })
    }

    /// Where tasks of a selection may be: by queue, then by state.
    pub(super) async fn places(&self, selection: &Selection) -> Result<Vec<(QueueName, TaskState)>> {
        let queues = if selection.queues.is_empty() {
            self.queues().await?
        } else {
            let mut queues = Vec::new();
            for name in &selection.queues {
                queues.push(self.existing(name).await?);
            }
            queues.sort();
            queues.dedup();
            queues
        };
        let states = selection.wanted_states();
        let is_wanted = |queue: &QueueName| {
            let is_left_out = selection.except.as_deref() == Some(queue.as_str());
            !is_left_out && selection.filter.may_match_queue(queue.as_str())
        };
        let fitting = queues.into_iter().filter(is_wanted);
        Ok(fitting.flat_map(|queue| states.iter().map(move |state| (queue.clone(), *state))).collect())
    }
}

/// The collections of a queue whose tasks are in this state: one, or as many as there are groups.
pub(super) async fn collections(
    broker: &Arc<dyn Broker>,
    queue: &QueueName,
    state: TaskState,
    group: Option<&str>,
) -> Result<Vec<Collection>> {
    Ok(match state {
        TaskState::Active => vec![Collection::Active],
        TaskState::Pending => vec![Collection::Pending],
        TaskState::Scheduled => vec![Collection::Scheduled],
        TaskState::Retry => vec![Collection::Retry],
        TaskState::Archived => vec![Collection::Archived],
        TaskState::Completed => vec![Collection::Completed],
        TaskState::Aggregating => {
            if let Some(group) = group {
                vec![Collection::Group(group.to_owned())]
            } else {
                let groups = broker.group_sizes(queue).await?;
                groups.into_iter().map(|group| Collection::Group(group.group)).collect()
            }
        }
    })
}

/// The tasks of a [`Selection`], as they are found.
#[derive(Debug)]
pub struct FoundTasks {
    broker: Arc<dyn Broker>,
    filter: Filter,
    group: Option<String>,
    /// Queues and states that are still to be looked at.
    places: VecDeque<(QueueName, TaskState)>,
    /// The same, of the place that is looked at now: groups are many.
    collections: VecDeque<(QueueName, Collection)>,
    reading: Option<TaskStream>,
    left: usize,
    /// How many cannot be read, of places that were left.
    unreadable: usize,
}

impl FoundTasks {
    /// The next task that fits; `None` at the end. After an error it goes on where it was.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<TaskInfo>> {
        while self.left > 0 {
            if let Some(tasks) = &mut self.reading {
                match tasks.next().await {
                    Some(Ok(task)) => {
                        if self.filter.matches(&task, self.broker.clock().now()) {
                            self.left -= 1;
                            return Some(Ok(task));
                        }
                    }
                    Some(Err(error)) => return Some(Err(error)),
                    None => {
                        self.unreadable += tasks.unreadable().len();
                        self.reading = None;
                    }
                }
            } else if let Some((queue, collection)) = self.collections.pop_front() {
                self.reading = Some(TaskStream::new(Arc::clone(&self.broker), queue, collection));
            } else {
                let (queue, state) = self.places.front().cloned()?;
                match collections(&self.broker, &queue, state, self.group.as_deref()).await {
                    Ok(collections) => {
                        let here = |collection| (queue.clone(), collection);
                        self.collections = collections.into_iter().map(here).collect();
                        self.places.pop_front();
                    }
                    Err(error) => return Some(Err(error)),
                }
            }
        }
        None
    }

    /// How many were met so far that cannot be read, and so do not fit.
    pub fn unreadable(&self) -> usize {
        self.unreadable + self.reading.as_ref().map_or(0, |tasks| tasks.unreadable().len())
    }
}
