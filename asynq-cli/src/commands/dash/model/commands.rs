//! What every command does.

use std::time::Duration;

use asynq_core::inspector::{Action, Filter};
use asynq_core::task::{QueueName, TaskId, TaskState};
use asynq_core::wire::EnqueueOption;

use super::line::{Line, Purpose, Writing};
use super::model::{Model, OpenTask};
use super::palette::{Palette, Target};
use crate::commands::dash::keys::{Command, Focus};
use crate::commands::dash::request::{Change, Request, Slot};
use crate::commands::dash::tab::Tab;
use crate::commands::dash::view;

/// Nothing is read more often than this.
pub(in crate::commands::dash) const SHORTEST: Duration = Duration::from_secs(1);

impl Model {
    pub(super) fn command(&mut self, command: Command) {
        match self.focus() {
            Focus::Confirm => self.answer_question(command),
            Focus::Prompt | Focus::Palette => self.write(command),
            Focus::Task => self.in_task(command),
            Focus::Help => self.in_help(command),
            _ => self.on_screen(command),
        }
    }

    /// What counts everywhere; whether it was that.
    fn anywhere(&mut self, command: Command) -> bool {
        match command {
            Command::Quit if self.stop_change() => {}
            Command::Quit | Command::QuitAtOnce => self.requests.push(Request::Quit),
            Command::Redraw => self.requests.push(Request::Redraw),
            Command::Suspend => self.requests.push(Request::Suspend),
            Command::Refresh => {
                self.read_screen();
                self.read_task();
            }
            Command::Freeze => {
                self.is_frozen = !self.is_frozen;
                self.due = self.now.elapsed;
            }
            Command::Help => self.help = Some(0),
            Command::Palette => {
                let queues = self.queues.list.all().iter().map(|row| row.info.queue.clone());
                self.line = Some(Line::Palette(Palette::new(self.focus(), self.options.read_only, queues)));
            }
            Command::Run => self.change_tasks(Action::Run),
            Command::Archive => self.change_tasks(Action::Archive),
            Command::Delete if self.task.is_none() && self.tab == Tab::Queues => self.delete_queue(),
            Command::Delete => self.change_tasks(Action::Delete),
            Command::Cancel => self.change_tasks(Action::Cancel),
            Command::Edit => self.edit(),
            Command::Copy => self.copy(),
            Command::Browse => self.browse(),
            _ => return false,
        }
        true
    }

    fn on_screen(&mut self, command: Command) {
        if self.anywhere(command) || self.move_in_list(command) {
            return;
        }
        match command {
            Command::Show(place) => {
                if let Some(tab) = Tab::ALL.get(place) {
                    self.show(*tab);
                }
            }
            Command::NextTab => self.show(self.tab.step(1)),
            Command::PreviousTab => self.show(self.tab.step(-1)),
            Command::OtherPane if self.tab == Tab::Servers => {
                self.servers.on_workers = !self.servers.on_workers;
            }
            Command::OtherPane => self.schedulers.on_history = !self.schedulers.on_history,
            Command::Open => self.open(),
            Command::Back => self.back(),
            Command::NextState | Command::PreviousState => {
                self.tasks.step_state(if command == Command::NextState { 1 } else { -1 });
                self.read_anew();
            }
            Command::NextPage | Command::PreviousPage => self.turn_page(command == Command::NextPage),
            Command::AllQueues => {
                self.tasks.open_queue(None, self.tasks.state);
                self.read_anew();
            }
            Command::Filter => self.begin_filter(),
            Command::Select if self.tab == Tab::Queues => {
                if let Some(queue) = self.queues.list.chosen().map(|row| row.info.queue.clone()) {
                    if !self.queues.selected.remove(&queue) {
                        self.queues.selected.insert(queue);
                    }
                    self.queues.list.jump(1);
                }
            }
            Command::Select => self.tasks.select(),
            Command::SelectShown if self.tab == Tab::Queues => {
                let shown: Vec<QueueName> =
                    self.queues.list.shown().map(|row| row.info.queue.clone()).collect();
                if shown.iter().all(|queue| self.queues.selected.contains(queue)) {
                    self.queues.selected.clear();
                } else {
                    self.queues.selected.extend(shown);
                }
            }
            Command::SelectShown => self.tasks.select_shown(),
            Command::SelectFitting => {
                let fitting = !self.tasks.selected.fitting;
                self.tasks.selected = super::tasks::Selected { fitting, ..Default::default() };
            }
            Command::Pause => self.pause(),
            Command::Slower => self.pace(self.options.refresh + SHORTEST),
            Command::Faster => self.pace(self.options.refresh.saturating_sub(SHORTEST)),
            _ => {}
        }
    }

    /// Moves in the list of the screen, or sorts it; whether it was that.
    fn move_in_list(&mut self, command: Command) -> bool {
        let page = self.list_height().max(2).cast_signed() - 1;
        if self.tab == Tab::Redis {
            return scroll(&mut self.redis.scroll, command, page);
        }
        let entry = self.schedulers.list.chosen().map(|schedule| schedule.entry.id.clone());
        let curve = self.metrics.list.cursor();
        let Some(list) = self.list() else { return false };
        match command {
            Command::Up => list.step(false),
            Command::Down => list.step(true),
            Command::PageUp => list.jump(-page),
            Command::PageDown => list.jump(page),
            Command::Top => list.end(false),
            Command::Bottom => list.end(true),
            Command::Sort => list.sort_by_next(),
            Command::Turn => list.turn(),
            _ => return false,
        }
        // What is shown beside the list is of the row under the cursor.
        let moved = match self.tab {
            Tab::Schedulers => {
                entry != self.schedulers.list.chosen().map(|schedule| schedule.entry.id.clone())
            }
            Tab::Metrics => curve != self.metrics.list.cursor(),
            _ => false,
        };
        if moved {
            self.read_screen();
        }
        true
    }

    pub(super) fn show(&mut self, tab: Tab) {
        if self.tab != tab {
            self.tab = tab;
            self.read_anew();
        }
    }

    /// Reads what was never on the screen before.
    fn read_anew(&mut self) {
        self.is_loaded = false;
        self.read_screen();
    }

    /// Opens what is under the cursor.
    pub(super) fn open(&mut self) {
        match self.focus() {
            Focus::Queues => {
                if let Some(queue) = self.queues.list.chosen().map(|row| row.info.queue.clone()) {
                    self.open_queue(queue);
                }
            }
            Focus::Groups => {
                if let Some(group) = self.tasks.groups.chosen().map(|group| group.group.clone()) {
                    self.tasks.group = Some(group);
                    self.tasks.begin();
                    self.read_anew();
                }
            }
            Focus::Tasks => {
                let name = self.tasks.list.chosen().map(|row| (row.queue.clone(), row.id.clone()));
                self.open_task(name);
            }
            Focus::Servers if self.servers.on_workers => {
                let worker = self.servers.workers.chosen();
                self.open_task(worker.map(|row| (row.task.queue.clone(), row.task.id.clone())));
            }
            Focus::Servers => self.servers.on_workers = true,
            Focus::Schedulers if self.schedulers.on_history => self.open_enqueued(),
            Focus::Schedulers => self.schedulers.on_history = true,
            Focus::Metrics => {
                if let Some(queue) = self.metrics.queue().cloned() {
                    self.open_queue(queue);
                }
            }
            _ => {}
        }
    }

    /// The tasks of a queue, first those that are active, as in Go.
    fn open_queue(&mut self, queue: QueueName) {
        self.tasks.filter = Filter::default();
        self.tasks.open_queue(Some(queue), Some(TaskState::Active));
        self.tab = Tab::Tasks;
        self.read_anew();
    }

    fn open_task(&mut self, name: Option<(QueueName, TaskId)>) {
        if let Some((queue, id)) = name {
            self.task = Some(OpenTask { queue, id, detail: None, scroll: 0 });
            self.read_task();
        }
    }

    /// Opens a task that an entry enqueued: in the queue that the entry names.
    fn open_enqueued(&mut self) {
        let entry = self.schedulers.list.chosen();
        let event = self.schedulers.history.chosen();
        let (Some(entry), Some(event)) = (entry, event) else { return };
        let queue = entry.entry.options.iter().find_map(|option| match option {
            EnqueueOption::Queue(name) => name.to_str().and_then(|name| QueueName::new(name).ok()),
            _ => None,
        });
        let queue = queue.unwrap_or_default();
        self.open_task(TaskId::new(&event.task_id).ok().map(|id| (queue, id)));
    }

    /// From a group to the groups, from a filter to all tasks, from the tasks to the queues.
    fn back(&mut self) {
        if self.stop_change() {
            return;
        }
        if self.tasks.group.take().is_some() || !std::mem::take(&mut self.tasks.filter).is_empty() {
            self.tasks.begin();
            self.read_anew();
        } else {
            self.show(Tab::Queues);
        }
    }

    fn turn_page(&mut self, forward: bool) {
        if self.tasks.turn_page(forward) {
            self.read_anew();
        }
    }

    fn pace(&mut self, refresh: Duration) {
        self.options.refresh = refresh.max(SHORTEST);
        self.due = self.due.min(self.now.elapsed + self.options.refresh);
    }

    fn copy(&mut self) {
        let id = match (&self.task, self.focus()) {
            (Some(task), _) => Some(task.id.as_str().to_owned()),
            (_, Focus::Queues) => self.queues.list.chosen().map(|row| row.info.queue.as_str().to_owned()),
            (_, Focus::Tasks) => self.tasks.list.chosen().map(|row| row.id.as_str().to_owned()),
            (_, Focus::Groups) => self.tasks.groups.chosen().map(|group| group.group.clone()),
            (_, Focus::Servers) if self.servers.on_workers => {
                self.servers.workers.chosen().map(|row| row.task.id.as_str().to_owned())
            }
            (_, Focus::Servers) => self.servers.list.chosen().map(|server| server.id.clone()),
            (_, Focus::Schedulers) if self.schedulers.on_history => {
                self.schedulers.history.chosen().map(|event| event.task_id.clone())
            }
            (_, Focus::Schedulers) => self.schedulers.list.chosen().map(|schedule| schedule.entry.id.clone()),
            _ => None,
        };
        if let Some(id) = id {
            self.tell(format!("copied {}", crate::human::printable(&id)), false);
            self.requests.push(Request::Copy(id));
        }
    }

    fn begin_filter(&mut self) {
        let (purpose, text) = match self.focus() {
            Focus::Groups => (Purpose::GroupPart, self.tasks.groups.part.clone()),
            Focus::Tasks => (Purpose::Filter(None), self.tasks.filter.to_string()),
            Focus::Metrics => (Purpose::QueuePart, self.metrics.list.part.clone()),
            _ => (Purpose::QueuePart, self.queues.list.part.clone()),
        };
        self.line = Some(Line::Prompt { purpose, writing: Writing::new(text) });
    }

    fn answer_question(&mut self, command: Command) {
        match command {
            Command::Yes => {
                if let Some(Line::Confirm { change, .. }) = self.line.take() {
                    self.begin_change(*change);
                }
            }
            Command::No => self.line = None,
            _ => {
                self.anywhere(command);
            }
        }
    }

    /// In a line that is being written.
    fn write(&mut self, command: Command) {
        match command {
            Command::Accept => self.accept(),
            Command::Leave => self.line = None,
            _ => {
                let done = match &mut self.line {
                    Some(Line::Prompt { writing, purpose }) => {
                        let edited = writing.edit(command);
                        if let (true, Purpose::Filter(error)) = (edited, purpose) {
                            *error = None;
                        }
                        edited
                    }
                    Some(Line::Palette(palette)) if matches!(command, Command::Up | Command::Down) => {
                        palette.step(command == Command::Down);
                        true
                    }
                    Some(Line::Palette(palette)) => {
                        palette.chosen = 0;
                        palette.writing.edit(command)
                    }
                    _ => false,
                };
                if !done {
                    self.anywhere(command);
                }
            }
        }
    }

    fn accept(&mut self) {
        match self.line.take() {
            Some(Line::Prompt { purpose: Purpose::Filter(_), writing }) => {
                match writing.text().parse::<Filter>() {
                    Ok(filter) => {
                        self.tasks.filter = filter;
                        self.tasks.begin();
                        self.read_anew();
                    }
                    Err(error) => {
                        self.line = Some(Line::Prompt { purpose: Purpose::Filter(Some(error)), writing });
                    }
                }
            }
            Some(Line::Prompt { purpose: Purpose::QueuePart, writing }) => {
                if self.tab == Tab::Metrics {
                    self.metrics.list.part = writing.text();
                    self.metrics.list.arrange();
                } else {
                    self.queues.list.part = writing.text();
                    self.queues.list.arrange();
                }
                self.read_screen();
            }
            Some(Line::Prompt { purpose: Purpose::GroupPart, writing }) => {
                self.tasks.groups.part = writing.text();
                self.tasks.groups.arrange();
            }
            Some(Line::Prompt { purpose: Purpose::DeleteQueue(queue), writing }) => {
                if writing.text() == queue.as_str() {
                    self.begin_change(Change::DeleteQueue { queue, with_tasks: true });
                } else {
                    self.tell("that is not its name; nothing was deleted", true);
                }
            }
            Some(Line::Palette(palette)) => match palette.target() {
                Some(Target::Command(command, _)) => self.command(command),
                Some(Target::Queue(queue)) => {
                    self.task = None;
                    self.open_queue(queue);
                }
                None => {}
            },
            Some(Line::Confirm { .. }) | None => {}
        }
    }

    fn in_task(&mut self, command: Command) {
        let page = usize::from(view::inside(self.areas().popup).height).max(2).cast_signed() - 1;
        if let Some(task) = &mut self.task
            && scroll(&mut task.scroll, command, page)
        {
            return;
        }
        match command {
            Command::Back => {
                if !self.stop_change() {
                    self.task = None;
                    self.wait_for(Slot::Task, None);
                }
            }
            Command::NextPage | Command::PreviousPage => self.turn_page(command == Command::NextPage),
            _ => {
                self.anywhere(command);
            }
        }
    }

    fn in_help(&mut self, command: Command) {
        let page = usize::from(view::inside(self.areas().popup).height).max(2).cast_signed() - 1;
        if let Some(at) = &mut self.help
            && scroll(at, command, page)
        {
            return;
        }
        if command == Command::Back {
            self.help = None;
        } else {
            self.anywhere(command);
        }
    }
}

/// Scrolls a text; whether it was that. How far it can go is seen to later.
fn scroll(at: &mut usize, command: Command, page: isize) -> bool {
    *at = match command {
        Command::Up => at.saturating_sub(1),
        Command::Down => at.saturating_add(1),
        Command::PageUp => at.saturating_add_signed(-page),
        Command::PageDown => at.saturating_add_signed(page),
        Command::Top => 0,
        Command::Bottom => usize::MAX,
        _ => return false,
    };
    true
}
