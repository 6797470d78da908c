//! [`Tallies`]: tasks counted by type and kind of error, once for all who look at the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq_core::inspector::{QueueInfo, Selection, Tally};
use asynq_core::task::{QueueName, TaskState};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use crate::actions::Matching;
use crate::background::lock;
use crate::problem::Problem;
use crate::rights::{Right, Rights};
use crate::visit::Visit;

/// For how long they are told again.
const AGE: Duration = Duration::from_secs(30);

/// How many are kept.
const KEPT: usize = 100;

/// How many tasks are looked at.
const TASKS: usize = 10_000;

/// How many queues are looked into one by one.
const QUEUES: usize = 200;

/// How long that takes at most.
const TIME: Duration = Duration::from_millis(300);

/// Which tasks are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum States {
    All,
    /// Those that failed: in retry and in the archive.
    Failed,
    /// Those in one state.
    One(TaskState),
}

impl States {
    /// What a filter says of it.
    pub(crate) fn filter(self) -> &'static str {
        if self == Self::Failed { "state:retry,archived" } else { "" }
    }

    /// All tasks in them, as the visitor sees them.
    fn selection(self, visit: &Visit) -> Result<Selection, Problem> {
        let selection = Selection::new().filter(visit.filter(self.filter())?);
        Ok(self.one().map_or(selection.clone(), |state| selection.state(state)))
    }

    /// The state, if it is one.
    pub(crate) fn one(self) -> Option<TaskState> {
        if let Self::One(state) = self { Some(state) } else { None }
    }

    fn count(self, queue: &QueueInfo) -> usize {
        match self {
            Self::All => queue.size(),
            Self::Failed => queue.retry + queue.archived,
            Self::One(state) => queue.count(state),
        }
    }
}

/// Tasks counted by type and kind of error.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<HashMap<Key, Arc<Slot>>>);

/// Who waits for one waits for the same.
type Slot = AsyncMutex<Option<(Instant, Arc<Counted>)>>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    rights: Rights,
    queue: Option<String>,
    states: States,
}

/// What was counted.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) tally: Tally,
    /// How many tasks there were in all, where that is known.
    pub(crate) of: Option<usize>,
}

impl Tallies {
    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = lock(&self.0);
        if slots.len() >= KEPT && !slots.contains_key(&key) {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

impl Visit {
    /// The tasks of this queue or of all, in these states, counted by type and kind of error.
    pub(crate) async fn tally(&self, queue: Option<&str>, states: States) -> Result<Arc<Counted>, Problem> {
        let matching = Matching {
            queue: queue.map(str::to_owned),
            state: states.one(),
            filter: states.filter().parse()?,
            ..Matching::default()
        };
        // Who may not see it is refused before anything that others have counted is told.
        let selection = matching.selection(self, None).await?;
        let key = Key { rights: self.rights().clone(), queue: matching.queue, states };
        let slot = self.shared.tallies.slot(key);
        let mut kept = slot.lock().await;
        if let Some((_, counted)) = kept.as_ref().filter(|(at, _)| at.elapsed() < AGE) {
            return Ok(Arc::clone(counted));
        }
        let inspector = self.inspector_of_all(Right::View)?;
        let narrowed = if queue.is_none() { self.failing(states, states.selection(self)?) } else { None };
        let tally = match inspector.tally(narrowed.as_ref().unwrap_or(&selection), TASKS, TIME).await {
            // It was there when samples were taken.
            Err(asynq_core::Error::QueueNotFound { .. }) if narrowed.is_some() => {
                inspector.tally(&selection, TASKS, TIME).await?
            }
            tally => tally?,
        };
        let of = match (tally.is_complete, queue) {
            (true, _) => Some(tally.scanned),
            (false, Some(queue)) => {
                Some(states.count(&self.inspector(Right::View, queue)?.queue_info(queue).await?))
            }
            (false, None) => None,
        };
        let counted = Arc::new(Counted { tally, of });
        *kept = Some((Instant::now(), Arc::clone(&counted)));
        Ok(counted)
    }

    /// Of all queues, those that hold tasks which failed, where it is known which: of thousands, few do.
    fn failing(&self, states: States, base: Selection) -> Option<Selection> {
        let is_of_failed =
            matches!(states, States::Failed | States::One(TaskState::Retry | TaskState::Archived));
        let queues = self.shared.history.failing(self.now()).filter(|_| is_of_failed)?;
        let visible = queues.iter().filter(|queue| self.may(Right::View, queue.as_str()));
        let names: Vec<&str> = visible.map(QueueName::as_str).collect();
        // Without a name, a selection is of all queues; and each that is named is looked for.
        (1..=QUEUES).contains(&names.len()).then(|| names.into_iter().fold(base, Selection::queue))
    }
}
