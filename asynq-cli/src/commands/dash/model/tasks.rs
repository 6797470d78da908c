//! [`TasksScreen`]: which tasks are shown, page by page, and which are selected.

use std::collections::BTreeMap;

use asynq_core::inspector::{Collection, Filter, GroupInfo, QueueInfo, SearchCursor, Selection};
use asynq_core::task::{QueueName, TaskId, TaskState};

use crate::commands::dash::columns::{GROUPS, TaskRow, tasks};
use crate::commands::dash::event::FoundTasks;
use crate::commands::dash::list::List;
use crate::commands::dash::request::Tasks;

/// The states in Go's order; before them, all of them.
pub(in crate::commands::dash) const STATES: [Option<TaskState>; 8] = [
    None,
    Some(TaskState::Active),
    Some(TaskState::Pending),
    Some(TaskState::Aggregating),
    Some(TaskState::Scheduled),
    Some(TaskState::Retry),
    Some(TaskState::Archived),
    Some(TaskState::Completed),
];

#[derive(Debug)]
pub(in crate::commands::dash) struct TasksScreen {
    /// Of this queue, or of all.
    pub(in crate::commands::dash) queue: Option<QueueName>,
    /// In this state, or in any.
    pub(in crate::commands::dash) state: Option<TaskState>,
    pub(in crate::commands::dash) group: Option<String>,
    pub(in crate::commands::dash) filter: Filter,
    pub(in crate::commands::dash) list: List<TaskRow>,
    pub(in crate::commands::dash) groups: List<GroupInfo>,
    /// The queue as it was read last, or all queues.
    pub(in crate::commands::dash) queues: Vec<QueueInfo>,
    /// Which page, from 1.
    pub(in crate::commands::dash) page: usize,
    /// Whether there is another.
    pub(in crate::commands::dash) more: bool,
    /// How many tasks a search has looked at for this page.
    pub(in crate::commands::dash) scanned: usize,
    pub(in crate::commands::dash) selected: Selected,
    /// Where the pages of a search begin, from the second on.
    starts: Vec<SearchCursor>,
    next: Option<SearchCursor>,
    /// How many tasks the page had room for.
    size: usize,
}

/// The tasks that the next change is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::commands::dash) struct Selected {
    /// Each with its state, if it could be read.
    pub(in crate::commands::dash) tasks: BTreeMap<(QueueName, TaskId), Option<TaskState>>,
    /// All that fit, on every page.
    pub(in crate::commands::dash) fitting: bool,
}

/// How the tasks are come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands::dash) enum Paging {
    /// A collection, page by page.
    Pages,
    /// First a group is to be chosen.
    Groups,
    /// A search in several collections, part by part.
    Search,
}

impl Default for TasksScreen {
    fn default() -> Self {
        Self {
            queue: None,
            state: None,
            group: None,
            filter: Filter::default(),
            list: List::new(tasks(None, false)),
            groups: List::new(GROUPS),
            queues: Vec::new(),
            page: 1,
            more: false,
            scanned: 0,
            selected: Selected::default(),
            starts: Vec::new(),
            next: None,
            size: 1,
        }
    }
}

impl Selected {
    pub(in crate::commands::dash) fn has(&self, row: &TaskRow) -> bool {
        self.fitting || self.tasks.contains_key(&(row.queue.clone(), row.id.clone()))
    }
}

impl TasksScreen {
    pub(in crate::commands::dash) fn paging(&self) -> Paging {
        match (&self.queue, self.state) {
            (Some(_), Some(TaskState::Aggregating)) if self.filter.is_empty() && self.group.is_none() => {
                Paging::Groups
            }
            (Some(_), Some(_)) if self.filter.is_empty() => Paging::Pages,
            _ => Paging::Search,
        }
    }

    /// How many tasks are in this state, in what is shown; of all states where none is named.
    pub(in crate::commands::dash) fn count(&self, state: Option<TaskState>) -> usize {
        self.queues.iter().map(|queue| state.map_or_else(|| queue.size(), |state| queue.count(state))).sum()
    }

    /// How many tasks all pages have together, where that is known.
    pub(in crate::commands::dash) fn total(&self) -> Option<usize> {
        match (self.paging(), &self.group) {
            (Paging::Pages, None) => Some(self.count(self.state)),
            _ => None,
        }
    }

    /// The places of the tasks on this page among all, from 1.
    pub(in crate::commands::dash) fn first(&self) -> usize {
        (self.page - 1) * self.size + 1
    }

    /// What is to be read for a page of so many tasks.
    pub(super) fn read(&mut self, size: usize) -> Tasks {
        let size = size.clamp(1, asynq_core::inspector::Page::MAX_SIZE);
        if size != self.size {
            // Pages have moved: the one that has the first row of this one is as near as can be.
            self.page = if self.paging() == Paging::Pages { (self.first() - 1) / size + 1 } else { 1 };
            self.starts.clear();
            self.size = size;
        }
        match (&self.queue, self.state, self.paging()) {
            (Some(queue), Some(state), Paging::Pages) => {
                let collection = collection(state, self.group.as_deref());
                Tasks::Page { queue: queue.clone(), collection, page: self.page, size }
            }
            (Some(queue), _, Paging::Groups) => Tasks::Groups { queue: queue.clone() },
            _ => Tasks::Search {
                queue: self.queue.clone(),
                selection: Box::new(self.selection()),
                from: self.page.checked_sub(2).and_then(|place| self.starts.get(place)).cloned(),
                size,
            },
        }
    }

    /// All tasks that are shown, on every page.
    pub(super) fn selection(&self) -> Selection {
        let mut selection = Selection::new().filter(self.filter.clone());
        if let Some(queue) = &self.queue {
            selection = selection.queue(queue.as_str());
        }
        if let Some(state) = self.state {
            selection = selection.state(state);
        }
        if let Some(group) = &self.group {
            selection = selection.group(group);
        }
        selection
    }

    /// Takes what was read; whether another page is to be read, as this one is not there any more.
    pub(super) fn take(&mut self, found: FoundTasks) -> bool {
        self.queues = found.queues;
        self.groups.replace(found.groups);
        self.list.replace(found.tasks);
        (self.more, self.next, self.scanned) = (found.more, found.next, found.scanned);
        let behind = self.page > 1 && self.list.all().is_empty() && !self.more;
        if behind {
            self.page -= 1;
        }
        behind
    }

    /// Shows other tasks: from the first page on, with nothing selected.
    pub(super) fn begin(&mut self) {
        self.list.show(tasks(self.state, self.queue.is_some()));
        self.list.replace(Vec::new());
        self.list.end(false);
        self.groups.replace(Vec::new());
        self.groups.part.clear();
        (self.page, self.more, self.scanned, self.next) = (1, false, 0, None);
        self.starts.clear();
        self.selected = Selected::default();
    }

    pub(super) fn open_queue(&mut self, queue: Option<QueueName>, state: Option<TaskState>) {
        (self.queue, self.state, self.group) = (queue, state, None);
        self.queues.clear();
        self.begin();
    }

    /// The next state, or the one before, round and round.
    pub(super) fn step_state(&mut self, places: isize) {
        let place = STATES.iter().position(|state| *state == self.state).unwrap_or(0).cast_signed();
        let next = (place + places).rem_euclid(STATES.len().cast_signed()).cast_unsigned();
        self.state = STATES.get(next).copied().flatten();
        self.group = None;
        self.begin();
    }

    /// Turns the page; whether there is one.
    pub(super) fn turn_page(&mut self, forward: bool) -> bool {
        match (forward, self.paging()) {
            (_, Paging::Groups) => return false,
            (false, _) if self.page == 1 => return false,
            (true, _) if !self.more => return false,
            (false, _) => self.page -= 1,
            (true, Paging::Pages) => self.page += 1,
            (true, Paging::Search) => {
                let Some(next) = self.next.take() else { return false };
                self.starts.truncate(self.page - 1);
                self.starts.push(next);
                self.page += 1;
            }
        }
        self.list.replace(Vec::new());
        self.list.end(false);
        true
    }

    /// Selects the task under the cursor, or no longer; and goes on to the next one.
    pub(super) fn select(&mut self) {
        self.selected.fitting = false;
        let Some(row) = self.list.chosen() else { return };
        let (name, state) = entry(row);
        if self.selected.tasks.remove(&name).is_none() {
            self.selected.tasks.insert(name, state);
        }
        self.list.jump(1);
    }

    /// Selects all that are shown; none of them when they all were.
    pub(super) fn select_shown(&mut self) {
        self.selected.fitting = false;
        let all = self.list.shown().all(|row| self.selected.has(row));
        for (name, state) in self.list.shown().map(entry).collect::<Vec<_>>() {
            if all {
                self.selected.tasks.remove(&name);
            } else {
                self.selected.tasks.insert(name, state);
            }
        }
    }
}

fn entry(row: &TaskRow) -> ((QueueName, TaskId), Option<TaskState>) {
    ((row.queue.clone(), row.id.clone()), row.task.as_ref().ok().map(|task| task.state))
}

fn collection(state: TaskState, group: Option<&str>) -> Collection {
    match state {
        TaskState::Pending => Collection::Pending,
        TaskState::Scheduled => Collection::Scheduled,
        TaskState::Retry => Collection::Retry,
        TaskState::Archived => Collection::Archived,
        TaskState::Completed => Collection::Completed,
        TaskState::Aggregating => Collection::Group(group.unwrap_or_default().to_owned()),
        _ => Collection::Active,
    }
}
