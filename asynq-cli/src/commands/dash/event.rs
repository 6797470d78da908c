//! [`Event`]: what happens to the model.

use std::time::Duration;

use asynq_core::inspector::{
    DailyStats, EnqueueEvent, GroupInfo, QueueInfo, SearchCursor, ServerStatus, StoreInfo, TaskDetail,
};
use asynq_core::scheduler::KnownSchedule;
use asynq_core::task::{QueueName, TaskId};
use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Size;

use super::columns::TaskRow;
use super::request::Slot;

/// What happens to the model.
#[derive(Debug)]
pub(super) enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(Size),
    /// Time went by.
    Time,
    Answer(Answer),
    /// How far a change is.
    Progress(Outcome),
    /// A change is done.
    Changed(Outcome),
    /// A page was opened in the Web UI, or cannot be.
    Browsed(Browsed),
    /// Somebody edited a payload, or why not.
    Edited {
        queue: QueueName,
        id: TaskId,
        old: Vec<u8>,
        new: Result<Vec<u8>, String>,
    },
}

/// What became of a page that was to be opened.
#[derive(Debug)]
pub(super) enum Browsed {
    Opened(String),
    /// There is no browser here, or it failed: the address is on the clipboard.
    Copied(String),
    /// Nobody said where the Web UI is.
    Nowhere,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) number: u64,
    pub(super) slot: Slot,
    /// How long it took.
    pub(super) took: Duration,
    pub(super) found: Result<Found, Trouble>,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    Overview { queues: Vec<QueueInfo>, servers: Vec<ServerStatus>, redis: StoreInfo },
    Queues { queues: Vec<QueueInfo>, memory: Vec<(QueueName, Option<u64>)> },
    Tasks(FoundTasks),
    Servers(Vec<ServerStatus>),
    Schedulers { schedules: Vec<KnownSchedule>, history: Option<(String, Vec<EnqueueEvent>)> },
    Metrics { queues: Vec<QueueInfo>, days: Option<(QueueName, Vec<DailyStats>)> },
    Redis(StoreInfo),
    Task(Box<TaskDetail>),
    Count(usize),
}

/// Tasks, or the groups of which one is to be chosen.
#[derive(Debug, Default)]
pub(super) struct FoundTasks {
    /// The queue, or all of them.
    pub(super) queues: Vec<QueueInfo>,
    pub(super) tasks: Vec<TaskRow>,
    pub(super) groups: Vec<GroupInfo>,
    /// Whether there is another page.
    pub(super) more: bool,
    /// Where a search goes on, and how many tasks it has looked at.
    pub(super) next: Option<SearchCursor>,
    pub(super) scanned: usize,
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The store answers, and says no: there is no such queue or task any more, or it must not be read.
    Refused(String),
    /// The store does not answer.
    Away(String),
}

/// How far a change is, or what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) done: usize,
    pub(super) failed: usize,
    /// What the first failure says.
    pub(super) error: Option<String>,
    /// Whether it was stopped before all were reached.
    pub(super) stopped: bool,
}
