//! [`History`]: what happened in a simulation, in order.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::broker::{RunToken, Transition};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The store has a new task.
    Accepted { id: String },
    /// The producer knows that this task was stored.
    Acknowledged { id: String },
    /// The store gave a task to a machine.
    Leased { machine: String, id: String, run: RunToken },
    /// A handler began; no two have the same number.
    Began { machine: String, id: String, handler: usize },
    /// A handler returned this.
    Returned { machine: String, id: String, handler: usize, returned: Returned },
    /// A handler is gone, whether it returned or was dropped.
    Left { machine: String, id: String },
    /// The store settled a run.
    Settled { machine: String, id: String, run: Option<RunToken>, went: Went },
    /// The store refused a settlement.
    Refused { machine: String, id: String },
    /// Something was done to the machines or to the network.
    Upset(String),
}

/// What a handler returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    Success,
    Failure,
    SkipRetry,
    Revoke,
}

/// Where a settlement sent its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Went {
    Done,
    Completed,
    Retry { is_failure: bool },
    Archived,
    Back,
}

impl Went {
    pub(super) fn of(transition: &Transition) -> Self {
        match transition {
            Transition::Done { .. } | Transition::Revoke { .. } => Self::Done,
            Transition::Complete { .. } => Self::Completed,
            Transition::Retry { is_failure, .. } => Self::Retry { is_failure: *is_failure },
            Transition::PutBack { .. } => Self::Retry { is_failure: false },
            Transition::Archive { .. } => Self::Archived,
            Transition::Requeue { .. } => Self::Back,
        }
    }

    /// Whether the task's life is over.
    pub(super) fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Completed | Self::Archived)
    }
}

/// What happened, in order. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct History {
    start: Instant,
    events: Arc<Mutex<Vec<(Duration, Event)>>>,
}

impl History {
    pub(super) fn begin() -> Self {
        Self { start: Instant::now(), events: Arc::default() }
    }

    pub(super) fn note(&self, event: Event) {
        let at = self.start.elapsed();
        self.lock().push((at, event));
    }

    pub(super) fn upset(&self, what: impl Into<String>) {
        self.note(Event::Upset(what.into()));
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.lock().iter().map(|(_, event)| event.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Duration, Event)>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, event) in self.lock().iter() {
            write!(f, "{:>10.3} s  ", at.as_secs_f64())?;
            match event {
                Event::Accepted { id } => writeln!(f, "store     has {id}"),
                Event::Acknowledged { id } => writeln!(f, "producer  knows of {id}"),
                Event::Leased { machine, id, run } => writeln!(f, "{machine:<9} takes {id} as run {run:?}"),
                Event::Began { machine, id, .. } => writeln!(f, "{machine:<9} begins {id}"),
                Event::Returned { machine, id, returned, .. } => {
                    writeln!(f, "{machine:<9} {id} returns {returned:?}")
                }
                Event::Left { machine, id } => writeln!(f, "{machine:<9} leaves {id}"),
                Event::Settled { machine, id, run, went } => {
                    writeln!(f, "{machine:<9} settles {id} of run {run:?}: {went:?}")
                }
                Event::Refused { machine, id } => writeln!(f, "{machine:<9} may not settle {id}"),
                Event::Upset(what) => writeln!(f, "          {what}"),
            }?;
        }
        Ok(())
    }
}
