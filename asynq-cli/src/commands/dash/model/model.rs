//! [`Model`]: what is seen and what is chosen.

use std::time::Duration;

use asynq_core::inspector::TaskDetail;
use asynq_core::task::{QueueName, TaskId};
use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::layout::Size;

use super::changes::Changing;
use super::line::{Line, Purpose};
use super::screens::{
    MetricsScreen, OverviewScreen, QueuesScreen, RedisScreen, SchedulersScreen, ServersScreen,
};
use super::tasks::{Paging, TasksScreen};
use crate::commands::dash::event::Event;
use crate::commands::dash::keys::{self, Focus};
use crate::commands::dash::layout::{Areas, SMALLEST};
use crate::commands::dash::list::{List, Row};
use crate::commands::dash::request::{Read, Request, Slot};
use crate::commands::dash::samples::Samples;
use crate::commands::dash::tab::Tab;
use crate::commands::dash::view;

/// How long a note stays.
const NOTE: Duration = Duration::from_secs(8);

/// The time: on the clock, and since the start.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands::dash) struct Now {
    pub(in crate::commands::dash) at: Timestamp,
    pub(in crate::commands::dash) elapsed: Duration,
}

/// What the command line says.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands::dash) struct Options {
    /// Nothing is asked before a change.
    pub(in crate::commands::dash) yes: bool,
    pub(in crate::commands::dash) read_only: bool,
    /// How often things are read.
    pub(in crate::commands::dash) refresh: Duration,
}

/// Whether Redis answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::dash) enum Link {
    Up,
    Down { since: Timestamp, why: String },
}

/// Something to be told for a while.
#[derive(Clone, Debug)]
pub(in crate::commands::dash) struct Note {
    pub(in crate::commands::dash) text: String,
    pub(in crate::commands::dash) is_error: bool,
    /// The address in it, for terminals that open one at a click.
    pub(in crate::commands::dash) address: Option<String>,
    until: Duration,
}

/// The task that is open.
#[derive(Debug)]
pub(in crate::commands::dash) struct OpenTask {
    pub(in crate::commands::dash) queue: QueueName,
    pub(in crate::commands::dash) id: TaskId,
    /// What is known of it, or why nothing is; nothing yet before the first answer.
    pub(in crate::commands::dash) detail: Option<Result<Box<TaskDetail>, String>>,
    pub(in crate::commands::dash) scroll: usize,
}

/// What is seen and what is chosen.
#[derive(Debug)]
pub(in crate::commands::dash) struct Model {
    pub(in crate::commands::dash) options: Options,
    pub(in crate::commands::dash) size: Size,
    pub(in crate::commands::dash) now: Now,
    pub(in crate::commands::dash) tab: Tab,
    pub(in crate::commands::dash) overview: OverviewScreen,
    pub(in crate::commands::dash) queues: QueuesScreen,
    pub(in crate::commands::dash) tasks: TasksScreen,
    pub(in crate::commands::dash) servers: ServersScreen,
    pub(in crate::commands::dash) schedulers: SchedulersScreen,
    pub(in crate::commands::dash) metrics: MetricsScreen,
    pub(in crate::commands::dash) redis: RedisScreen,
    pub(in crate::commands::dash) samples: Samples,
    pub(in crate::commands::dash) task: Option<OpenTask>,
    /// How far the help is scrolled, if it is open.
    pub(in crate::commands::dash) help: Option<usize>,
    pub(in crate::commands::dash) line: Option<Line>,
    pub(in crate::commands::dash) note: Option<Note>,
    pub(in crate::commands::dash) changing: Option<Changing>,
    pub(in crate::commands::dash) link: Link,
    /// Whether what the screen shows was read already.
    pub(in crate::commands::dash) is_loaded: bool,
    pub(in crate::commands::dash) is_frozen: bool,
    /// When the screen is read again.
    pub(super) due: Duration,
    /// The numbers of the answers that are waited for.
    pub(super) waiting: [Option<u64>; Slot::COUNT],
    pub(super) number: u64,
    pub(super) requests: Vec<Request>,
}

impl Model {
    pub(in crate::commands::dash) fn new(options: Options, tab: Tab, size: Size, now: Now) -> Self {
        let mut model = Self {
            options,
            size,
            now,
            tab,
            overview: OverviewScreen::default(),
            queues: QueuesScreen::default(),
            tasks: TasksScreen::default(),
            servers: ServersScreen::default(),
            schedulers: SchedulersScreen::default(),
            metrics: MetricsScreen::default(),
            redis: RedisScreen::default(),
            samples: Samples::default(),
            task: None,
            help: None,
            line: None,
            note: None,
            changing: None,
            link: Link::Up,
            is_loaded: false,
            is_frozen: false,
            due: Duration::ZERO,
            waiting: [None; Slot::COUNT],
            number: 0,
            requests: Vec::new(),
        };
        model.read_screen();
        model
    }

    /// Takes an event; what is to be done in the world comes back.
    pub(in crate::commands::dash) fn update(&mut self, event: Event, now: Now) -> Vec<Request> {
        self.now = now;
        match event {
            Event::Key(key) => self.key(key),
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Paste(text) => self.paste(&text),
            Event::Resize(size) => {
                self.size = size;
                if self.tab == Tab::Tasks {
                    self.read_screen();
                }
            }
            Event::Time => {}
            Event::Answer(answer) => self.answer(answer),
            Event::Progress(outcome) => self.progress(outcome),
            Event::Changed(outcome) => self.changed(&outcome),
            Event::Browsed(browsed) => self.browsed(browsed),
            Event::Edited { queue, id, old, new } => self.edited(queue, id, old, new),
        }
        self.pass_time();
        self.fit();
        std::mem::take(&mut self.requests)
    }

    /// What was asked for at the beginning.
    pub(in crate::commands::dash) fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// When something is to be done though nothing happens, counted from the start.
    pub(in crate::commands::dash) fn next_wake(&self) -> Duration {
        let second = Duration::from_secs(self.now.elapsed.as_secs() + 1);
        if self.is_frozen || self.is_waiting(Slot::Screen) { second } else { second.min(self.due) }
    }

    pub(in crate::commands::dash) fn focus(&self) -> Focus {
        match (&self.line, &self.task) {
            (Some(Line::Confirm { .. }), _) => Focus::Confirm,
            (Some(Line::Prompt { .. }), _) => Focus::Prompt,
            (Some(Line::Palette(_)), _) => Focus::Palette,
            _ if self.help.is_some() => Focus::Help,
            (None, Some(_)) => Focus::Task,
            (None, None) => self.screen_focus(),
        }
    }

    /// Where keys go when nothing is open.
    fn screen_focus(&self) -> Focus {
        match self.tab {
            Tab::Overview => Focus::Overview,
            Tab::Queues => Focus::Queues,
            Tab::Tasks if self.tasks.paging() == Paging::Groups => Focus::Groups,
            Tab::Tasks => Focus::Tasks,
            Tab::Servers => Focus::Servers,
            Tab::Schedulers => Focus::Schedulers,
            Tab::Metrics => Focus::Metrics,
            Tab::Redis => Focus::Redis,
        }
    }

    pub(in crate::commands::dash) fn areas(&self) -> Areas {
        let foot = match &self.line {
            Some(Line::Prompt { purpose: Purpose::Filter(Some(_)), .. }) => 3,
            Some(Line::Palette(_)) => 9,
            _ => 1,
        };
        Areas::new(self.size, self.tab, foot)
    }

    pub(in crate::commands::dash) fn is_too_small(&self) -> bool {
        self.size.width < SMALLEST.width || self.size.height < SMALLEST.height
    }

    pub(super) fn tell(&mut self, text: impl Into<String>, is_error: bool) {
        self.note = Some(Note { text: text.into(), is_error, address: None, until: self.now.elapsed + NOTE });
    }

    fn key(&mut self, key: KeyEvent) {
        let focus = self.focus();
        if let Some(command) = keys::find(key, focus, self.options.read_only) {
            self.note = None;
            self.command(command);
        } else if let Some(c) = keys::written(key)
            && matches!(focus, Focus::Prompt | Focus::Palette)
        {
            self.paste(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn paste(&mut self, text: &str) {
        match &mut self.line {
            Some(Line::Prompt { writing, purpose }) => {
                writing.write(text);
                if let Purpose::Filter(error) = purpose {
                    *error = None;
                }
            }
            Some(Line::Palette(palette)) => {
                palette.writing.write(text);
                palette.chosen = 0;
            }
            _ => {}
        }
    }

    /// Reads again what is due, and takes away what was said long ago.
    fn pass_time(&mut self) {
        if self.note.as_ref().is_some_and(|note| note.until <= self.now.elapsed) {
            self.note = None;
        }
        let due = self.due <= self.now.elapsed && !self.is_waiting(Slot::Screen);
        if due && !self.is_frozen {
            self.read_screen();
            if self.task.is_some() && !self.is_waiting(Slot::Task) {
                self.read_task();
            }
        }
    }

    pub(super) fn is_waiting(&self, slot: Slot) -> bool {
        self.waiting.get(slot as usize).is_some_and(Option::is_some)
    }

    /// Whether an answer, or the end of a change, is waited for.
    #[cfg(test)]
    pub(in crate::commands::dash) fn is_busy(&self) -> bool {
        matches!(self.changing, Some(Changing::Running { .. })) || self.waiting.iter().any(Option::is_some)
    }

    /// The number of the answer that is waited for.
    #[cfg(test)]
    pub(in crate::commands::dash) fn awaited(&self, slot: Slot) -> Option<u64> {
        self.waiting.get(slot as usize).copied().flatten()
    }

    /// Asks for what is shown.
    pub(super) fn read_screen(&mut self) {
        let rows = Areas::rows(self.areas().list);
        let what = match self.tab {
            Tab::Overview => Read::Overview,
            Tab::Queues => Read::Queues {
                memory_of: self
                    .queues
                    .list
                    .seen(rows.max(1))
                    .map(|(_, row)| row.info.queue.clone())
                    .collect(),
            },
            Tab::Tasks => Read::Tasks(self.tasks.read(rows)),
            Tab::Servers => Read::Servers,
            Tab::Schedulers => Read::Schedulers {
                entry: self.schedulers.list.chosen().map(|schedule| schedule.entry.id.clone()),
            },
            Tab::Metrics => Read::Metrics { queue: self.metrics.queue().cloned() },
            Tab::Redis => Read::Redis,
        };
        self.ask(Slot::Screen, what);
    }

    pub(super) fn read_task(&mut self) {
        if let Some(task) = &self.task {
            let what = Read::Task { queue: task.queue.clone(), id: task.id.clone() };
            self.ask(Slot::Task, what);
        }
    }

    pub(super) fn ask(&mut self, slot: Slot, what: Read) {
        self.number += 1;
        self.wait_for(slot, Some(self.number));
        self.requests.push(Request::Read { number: self.number, slot, what });
    }

    pub(super) fn wait_for(&mut self, slot: Slot, number: Option<u64>) {
        if let Some(waiting) = self.waiting.get_mut(slot as usize) {
            *waiting = number;
        }
    }

    /// The list that keys move in.
    pub(super) fn list(&mut self) -> Option<&mut dyn Movable> {
        Some(match self.screen_focus() {
            Focus::Queues => &mut self.queues.list,
            Focus::Tasks => &mut self.tasks.list,
            Focus::Groups => &mut self.tasks.groups,
            Focus::Servers if self.servers.on_workers => &mut self.servers.workers,
            Focus::Servers => &mut self.servers.list,
            Focus::Schedulers if self.schedulers.on_history => &mut self.schedulers.history,
            Focus::Schedulers => &mut self.schedulers.list,
            Focus::Metrics => &mut self.metrics.list,
            _ => return None,
        })
    }

    /// How many rows of the list that keys move in are seen.
    pub(in crate::commands::dash) fn list_height(&self) -> usize {
        let areas = self.areas();
        let on_second = match self.tab {
            Tab::Servers => self.servers.on_workers,
            Tab::Schedulers => self.schedulers.on_history,
            _ => false,
        };
        Areas::rows(if on_second { areas.second } else { areas.list })
    }

    /// Brings every window to where its cursor is, and every scrolled text to where it has lines.
    fn fit(&mut self) {
        let areas = self.areas();
        let (list, second) = (Areas::rows(areas.list), Areas::rows(areas.second));
        self.queues.list.fit(list);
        self.tasks.list.fit(list);
        self.tasks.groups.fit(list);
        self.servers.list.fit(list);
        self.servers.workers.fit(second);
        self.schedulers.list.fit(list);
        self.schedulers.history.fit(second);
        self.metrics.list.fit(list);
        let last = |lines: usize, height: u16| lines.saturating_sub(usize::from(height));
        let redis = last(self.redis.info.len(), areas.list.height.saturating_sub(1));
        self.redis.scroll = self.redis.scroll.min(redis);
        let inner = view::inside(areas.popup);
        if let Some(help) = self.help {
            self.help = Some(help.min(last(view::help_lines(self).len(), inner.height)));
        }
        if let Some(scroll) = self.task.as_ref().map(|task| task.scroll) {
            let most = last(view::task_lines(self, inner.width).len(), inner.height);
            if let Some(task) = &mut self.task {
                task.scroll = scroll.min(most);
            }
        }
    }
}

/// A list of whatever rows, for keys that move in it.
pub(super) trait Movable {
    fn step(&mut self, down: bool);
    fn jump(&mut self, rows: isize);
    fn end(&mut self, last: bool);
    fn point(&mut self, line: usize) -> bool;
    fn sort_by_next(&mut self);
    fn turn(&mut self);
    fn cursor(&self) -> usize;
}

impl<T: Row> Movable for List<T> {
    fn step(&mut self, down: bool) {
        self.step(down);
    }

    fn jump(&mut self, rows: isize) {
        self.jump(rows);
    }

    fn end(&mut self, last: bool) {
        self.end(last);
    }

    fn point(&mut self, line: usize) -> bool {
        self.point(line)
    }

    fn sort_by_next(&mut self) {
        self.sort_by_next();
    }

    fn turn(&mut self) {
        self.turn();
    }

    fn cursor(&self) -> usize {
        self.cursor()
    }
}
