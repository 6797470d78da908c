//! [`Ask`]: what is to be done to which tasks.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use asynq_core::inspector::{Filter, Search, Selection};
use asynq_core::task::TaskState;

use super::{TaskKey, Verb};
use crate::problem::Problem;
use crate::visit::Visit;

/// How long counting takes at most before it says "at least".
const COUNTING: Duration = Duration::from_millis(700);

/// How many tasks are counted one by one.
const COUNTED: usize = 20_000;

/// How many tasks may be named one by one.
const NAMED: usize = 5_000;

/// What is to be done to which tasks.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) verb: Verb,
    pub(crate) target: Target,
}

/// Which tasks.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// These.
    Tasks(BTreeSet<TaskKey>),
    /// All that fit.
    Matching(Matching),
}

/// All tasks that fit: of this queue, in this state, in this group, by this filter; each if it is named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matching {
    pub(crate) queue: Option<String>,
    pub(crate) state: Option<TaskState>,
    pub(crate) group: Option<String>,
    pub(crate) filter: Filter,
}

/// How many tasks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) tasks: usize,
    /// Whether that is all; else there are at least so many.
    pub(crate) is_complete: bool,
}

impl Target {
    /// These tasks; not too many, and not none.
    pub(crate) fn tasks(keys: impl IntoIterator<Item = Result<TaskKey, Problem>>) -> Result<Self, Problem> {
        let keys = keys.into_iter().collect::<Result<BTreeSet<_>, _>>()?;
        match keys.len() {
            0 => Err(Problem::invalid("no task is selected")),
            1..=NAMED => Ok(Self::Tasks(keys)),
            many => Err(Problem::invalid(format!(
                "{many} tasks are named, and at most {NAMED} can be; use a filter"
            ))),
        }
    }
}

impl Matching {
    /// The selection, within what the visitor may do this to.
    pub(crate) async fn selection(&self, visit: &Visit, verb: Option<&Verb>) -> Result<Selection, Problem> {
        let right = verb.map_or(crate::Right::View, Verb::right);
        let mut selection = Selection::new().filter(visit.seeing(self.filter.clone())?);
        match &self.queue {
            Some(queue) => {
                visit.inspector(right, queue)?;
                selection = selection.queue(queue);
            }
            None if visit.rights().are_limited() => {
                let queues = visit.queues(right).await?;
                if queues.is_empty() {
                    return Err(Problem::forbidden(right, None));
                }
                selection = queues.iter().fold(selection, |selection, queue| selection.queue(queue.as_str()));
            }
            None => drop(visit.inspector_of_all(right)?),
        }
        if let Some(state) = self.state {
            selection = selection.state(state);
        }
        if let Some(group) = &self.group {
            selection = selection.group(group);
        }
        Ok(match verb {
            Some(verb) => selection.allowing(&verb.action()),
            None => selection,
        })
    }
}

impl Ask {
    /// Refuses what the visitor may not do; of many queues, those that are allowed remain.
    pub(crate) async fn check(&self, visit: &Visit) -> Result<(), Problem> {
        if let Verb::Move(to) = &self.verb {
            visit.inspector(self.verb.right(), to)?;
        }
        match &self.target {
            Target::Tasks(keys) => {
                keys.iter().try_for_each(|key| visit.inspector(self.verb.right(), &key.queue).map(drop))
            }
            Target::Matching(matching) => matching.selection(visit, Some(&self.verb)).await.map(drop),
        }
    }

    /// How many tasks it is about.
    pub(crate) async fn count(&self, visit: &Visit) -> Result<Count, Problem> {
        let matching = match &self.target {
            Target::Tasks(keys) => return Ok(Count { tasks: keys.len(), is_complete: true }),
            Target::Matching(matching) => matching,
        };
        let selection = matching.selection(visit, Some(&self.verb)).await?.limit(200);
        let inspector = visit.inspector_of_all(self.verb.right())?;
        // Where nothing must be looked into, Redis knows the number.
        if let (true, Some(queue), Some(state), None) =
            (matching.filter.is_empty(), &matching.queue, matching.state, &matching.group)
        {
            let tasks =
                if self.verb.allows(state) { inspector.queue_info(queue).await?.count(state) } else { 0 };
            return Ok(Count { tasks, is_complete: true });
        }
        let (began, mut tasks, mut scanned) = (Instant::now(), 0, 0);
        let mut search = Search::new(selection);
        loop {
            let part = visit.search(self.verb.right(), &search).await?;
            tasks += part.tasks.len();
            scanned += part.scanned;
            match part.next {
                Some(next) if scanned < COUNTED && began.elapsed() < COUNTING => search = search.from(next),
                next => return Ok(Count { tasks, is_complete: next.is_none() }),
            }
        }
    }
}
