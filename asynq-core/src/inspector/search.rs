//! [`Search`]: one part of the tasks of a selection, read within a budget; and where to go on.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;

use super::selection::collections;
use super::{Collection, Inspector, Selection, SortBy, UnreadableTask};
use crate::broker::{Listed, ScanCursor};
use crate::error::Result;
use crate::task::{InvalidOption, QueueName, TaskInfo, TaskState};

/// How many tasks one call reads.
const CHUNK: usize = 200;

/// A search for tasks, answered part by part: what pages and APIs need, which keep nothing between two requests. To read
/// all of a selection in one go, there is [`Inspector::find`].
///
/// A part ends when it has as many tasks as the [limit](Selection::limit) of the selection says, 30 unless it says
/// otherwise, or when the budget is spent.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::inspector::{Inspector, Search, Selection};
/// use asynq_core::task::{Task, TaskState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::in_memory();
/// client.enqueue_all((0..50).map(|n| Task::new("t", format!("{{\"n\":{n}}}")).unwrap())).await;
///
/// let inspector = Inspector::new(&client);
/// let search = Search::new(Selection::new().state(TaskState::Pending).filter("payload.n:>=25".parse()?)).budget(40);
/// let part = inspector.search(&search).await?;
/// assert_eq!((part.tasks.len(), part.scanned), (15, 40));
///
/// let rest = inspector.search(&search.from(part.next.unwrap())).await?;
/// assert_eq!((rest.tasks.len(), rest.scanned, rest.next), (10, 10, None));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Search {
    selection: Selection,
    last_first: bool,
    sort: Option<(SortBy, bool)>,
    budget: usize,
    time: Duration,
    from: Option<SearchCursor>,
}

impl Search {
    /// How many tasks a part reads at most unless told otherwise.
    pub const DEFAULT_BUDGET: usize = 10_000;

    /// How long a part takes at most unless told otherwise; a call that is on its way is waited for.
    pub const DEFAULT_TIME: Duration = Duration::from_millis(300);

    /// A search from the beginning.
    pub fn new(selection: Selection) -> Self {
        let (budget, time) = (Self::DEFAULT_BUDGET, Self::DEFAULT_TIME);
        Self { selection, last_first: false, sort: None, budget, time, from: None }
    }

    /// Each collection from its end: what was archived, completed or enqueued last comes first.
    pub fn last_first(mut self) -> Self {
        self.last_first = true;
        self
    }

    /// Sorted. All that fit are read, as far as the budget goes, and the first of those are given: where
    /// [`next`](SearchPart::next) tells that more follow, these were not sorted.
    pub fn sorted(mut self, by: SortBy, is_descending: bool) -> Self {
        self.sort = Some((by, is_descending));
        self
    }

    /// Reads no more than so many tasks, at least one.
    pub fn budget(mut self, tasks: usize) -> Self {
        self.budget = tasks.max(1);
        self
    }

    /// Begins no further call when this time is over.
    pub fn time(mut self, limit: Duration) -> Self {
        self.time = limit;
        self
    }

    /// Goes on where an earlier part ended.
    pub fn from(mut self, cursor: SearchCursor) -> Self {
        self.from = Some(cursor);
        self
    }
}

/// One part of what a [`Search`] finds.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SearchPart {
    /// The tasks that fit.
    pub tasks: Vec<TaskInfo>,
    /// What was met that cannot be read, with its queue.
    pub unreadable: Vec<(QueueName, UnreadableTask)>,
    /// How many tasks were looked at.
    pub scanned: usize,
    /// Where to go on; `None` when nothing is left.
    pub next: Option<SearchCursor>,
}

/// A place in the tasks of a [`Search`]: a text to hand out and to take back.
///
/// It counts how many tasks come before it, so when others change the collection between two parts, a task may be passed
/// over or come twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchCursor {
    queue: String,
    state: TaskState,
    group: String,
    /// How many tasks of the collection come before it in their stored order; with
    /// [`last_first`](Search::last_first) those are the ones that are left.
    offset: usize,
}

impl fmt::Display for SearchCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, state, group, offset } = self;
        write!(f, "{offset}.{state}.{}.{queue}{group}", queue.len())
    }
}

impl FromStr for SearchCursor {
    type Err = InvalidOption;

    /// # Errors
    ///
    /// When it is no text that a cursor gave.
    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        let read = || {
            let (offset, rest) = text.split_once('.')?;
            let (state, rest) = rest.split_once('.')?;
            let (length, names) = rest.split_once('.')?;
            let (queue, group) = names.split_at_checked(length.parse().ok()?)?;
            let (offset, state) = (offset.parse().ok()?, state.parse().ok()?);
            Some(Self { queue: queue.to_owned(), state, group: group.to_owned(), offset })
        };
        read().ok_or_else(|| InvalidOption::new("cursor", &"it must be one that an earlier answer gave"))
    }
}

impl SearchCursor {
    /// Queues, states and groups in the order in which they are searched.
    fn place(&self) -> (&str, TaskState, &str) {
        (&self.queue, self.state, &self.group)
    }
}

impl Inspector {
    /// The next part of what a search finds, queue by queue, state by state, group by group.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`](crate::Error::QueueNotFound) for a queue that is named and does not exist;
    /// [`Error::InvalidOption`](crate::Error::InvalidOption), [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn search(&self, search: &Search) -> Result<SearchPart> {
        let mut reading = Reading {
            inspector: self,
            search,
            limit: search.selection.limit.unwrap_or(super::Page::DEFAULT_SIZE),
            end: Instant::now() + search.time,
            has_come_on: false,
            part: SearchPart::default(),
        };
        for (queue, state) in self.places(&search.selection).await? {
            if search.from.as_ref().is_some_and(|from| (queue.as_str(), state) < (&from.queue, from.state)) {
                continue;
            }
            if let Some(next) = reading.read_state(&queue, state).await? {
                reading.part.next = Some(next);
                break;
            }
        }
        Ok(reading.part)
    }
}

/// A part of a search that is being read.
struct Reading<'a> {
    inspector: &'a Inspector,
    search: &'a Search,
    limit: usize,
    end: Instant,
    /// Whether it came to the end of what a queue has in some state.
    has_come_on: bool,
    part: SearchPart,
}

impl Reading<'_> {
    /// Reads what a queue has in this state; gives the place where it stopped, if that is before the end.
    async fn read_state(&mut self, queue: &QueueName, state: TaskState) -> Result<Option<SearchCursor>> {
        let group = self.search.selection.group.as_deref();
        let broker = &self.inspector.broker;
        if self.is_late() {
            // Whatever is in it comes later; from which end, its size will say.
            let start = if self.search.last_first { usize::MAX } else { 0 };
            return Ok(Some(SearchCursor {
                queue: queue.as_str().to_owned(),
                state,
                group: String::new(),
                offset: start,
            }));
        }
        for collection in collections(broker, queue, state, group).await? {
            let group = collection.group().unwrap_or_default().to_owned();
            let mut here = SearchCursor { queue: queue.as_str().to_owned(), state, group, offset: 0 };
            match &self.search.from {
                Some(from) if here.place() < from.place() => continue,
                Some(from) if here.place() == from.place() => here.offset = from.offset,
                _ if self.search.last_first => here.offset = usize::MAX,
                _ => {}
            }
            if self.search.last_first {
                here.offset = here.offset.min(broker.collection_size(queue, &collection).await?);
            }
            if !self.read_collection(queue, &collection, &mut here.offset).await? {
                return Ok(Some(here));
            }
        }
        self.has_come_on = true;
        Ok(None)
    }

    /// Whether time is up, and something was done in it: an answer that makes no headway would be asked for again and
    /// again.
    fn is_late(&self) -> bool {
        (self.part.scanned > 0 || self.has_come_on) && Instant::now() >= self.end
    }

    /// Reads a collection from this offset on; whether it came to the end.
    async fn read_collection(
        &mut self,
        queue: &QueueName,
        collection: &Collection,
        offset: &mut usize,
    ) -> Result<bool> {
        let last_first = self.search.last_first;
        let mut at_once = CHUNK;
        loop {
            if last_first && *offset == 0 {
                return Ok(true);
            }
            let late = self.part.scanned > 0 && self.is_late();
            let room = self.search.budget.saturating_sub(self.part.scanned);
            // Which come first is known at the end.
            let missing = match self.search.sort {
                Some(_) => CHUNK,
                None => self.limit.saturating_sub(self.part.tasks.len()),
            };
            if missing == 0 || room == 0 || late {
                return Ok(false);
            }
            // Without a filter every task fits: no more is read than is asked for.
            let wanted = if self.search.selection.filter.is_empty() { missing.min(CHUNK) } else { CHUNK };
            let count = wanted.min(room).min(if last_first { at_once.min(*offset) } else { usize::MAX });
            let start = if last_first { *offset - count } else { *offset };
            let scan = self.inspector.broker.scan(queue, collection, &ScanCursor::at(start), count).await?;
            let read = scan.tasks.len();
            if last_first && read < count && scan.next.is_some() {
                // The tasks are large, and those that are wanted first were not reached.
                at_once = (count / 2).max(1);
                continue;
            }
            let mut tasks = scan.tasks;
            if last_first {
                tasks.reverse();
                // Where tasks left meanwhile, the end has come nearer.
                *offset = start + read;
            }
            for listed in tasks {
                if self.search.sort.is_none() && self.part.tasks.len() == self.limit {
                    return Ok(false);
                }
                *offset = if last_first { *offset - 1 } else { *offset + 1 };
                self.take(queue, listed);
            }
            self.keep_the_first();
            if !last_first && (scan.next.is_none() || read == 0) {
                return Ok(true);
            }
        }
    }

    /// Of tasks that are sorted, no more are kept than are given.
    fn keep_the_first(&mut self) {
        if let Some((by, is_descending)) = self.search.sort {
            self.part.tasks.sort_by(|one, other| by.compare(one, other, is_descending));
            self.part.tasks.truncate(self.limit);
        }
    }

    fn take(&mut self, queue: &QueueName, Listed { id, task }: Listed) {
        self.part.scanned += 1;
        let now = self.inspector.broker.clock().now();
        match task {
            Ok(task) if self.search.selection.filter.matches(&task, now) => self.part.tasks.push(task),
            Ok(_) => {}
            Err(reason) => self.part.unreadable.push((queue.clone(), UnreadableTask { id, reason })),
        }
    }
}
