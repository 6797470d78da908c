//! [`Request`]: what the model wants of the world.

use asynq_core::inspector::{Action, Collection, SearchCursor, Selection};
use asynq_core::task::{QueueName, TaskId};

/// What the model wants of the world.
#[derive(Debug)]
pub(super) enum Request {
    /// To read something; the answer bears this number. What is read for the same slot is given up.
    Read {
        number: u64,
        slot: Slot,
        what: Read,
    },
    /// To change something.
    Change(Change),
    /// To begin no more of the change that is under way.
    StopChange,
    /// To have somebody edit a payload.
    Edit {
        queue: QueueName,
        id: TaskId,
        payload: Vec<u8>,
    },
    /// To put a text on the clipboard.
    Copy(String),
    /// To open a page of the Web UI, below the first one.
    Browse(String),
    Redraw,
    Suspend,
    Quit,
}

/// What is read for one place on the screen: only the last that was asked for counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The screen.
    Screen,
    /// The task that is open.
    Task,
    /// How many tasks fit.
    Count,
}

impl Slot {
    pub(super) const COUNT: usize = 3;
}

/// What is to be read.
#[derive(Clone, Debug)]
pub(super) enum Read {
    Overview,
    /// All queues, and the memory of some.
    Queues {
        memory_of: Vec<QueueName>,
    },
    Tasks(Tasks),
    Servers,
    /// All entries, and what one of them enqueued.
    Schedulers {
        entry: Option<String>,
    },
    /// All queues, and the days of one.
    Metrics {
        queue: Option<QueueName>,
    },
    Redis,
    Task {
        queue: QueueName,
        id: TaskId,
    },
    /// How many tasks fit.
    Count(Selection),
}

/// Which tasks.
#[derive(Clone, Debug)]
pub(super) enum Tasks {
    /// A page of one collection; and the queue.
    Page { queue: QueueName, collection: Collection, page: usize, size: usize },
    /// The groups of a queue; and the queue.
    Groups { queue: QueueName },
    /// A part of a search; and the queue, where it is in one alone.
    Search { queue: Option<QueueName>, selection: Box<Selection>, from: Option<SearchCursor>, size: usize },
}

/// What is to be changed.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// These tasks, each by its queue and ID.
    Tasks {
        action: Action,
        tasks: Vec<(QueueName, TaskId)>,
    },
    /// All tasks that fit.
    Fitting {
        action: Action,
        selection: Selection,
    },
    Pause {
        queues: Vec<QueueName>,
        pause: bool,
    },
    /// A stored schedule.
    PauseSchedule {
        name: String,
        pause: bool,
    },
    DeleteQueue {
        queue: QueueName,
        with_tasks: bool,
    },
}
