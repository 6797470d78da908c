//! [`PeriodicTask`]: a task and when it is to be enqueued.

use super::{CatchUp, EntryId, InvalidSchedule, Schedule};
use crate::error::Result;
use crate::job::IntoTask;
use crate::task::{Task, TaskOptions};

/// A task and when it is to be enqueued.
///
/// # Examples
///
/// ```
/// use asynq_core::scheduler::{CatchUp, PeriodicTask};
/// use asynq_core::task::Task;
///
/// let report = PeriodicTask::new("0 9 * * mon-fri", Task::new("report", "{}").unwrap())
///     .name("morning report")
///     .time_zone("Europe/Rome")
///     .catch_up(CatchUp::Last)
///     .options(|options| options.queue("reports").max_retry(3));
/// # drop(report);
/// ```
#[derive(Clone, Debug)]
pub struct PeriodicTask {
    pub(super) spec: String,
    /// Or why there is none.
    pub(super) task: Result<Task, String>,
    pub(super) name: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) catch_up: Option<CatchUp>,
}

/// What a scheduler makes of a [`PeriodicTask`].
pub(super) struct Prepared {
    pub(super) id: EntryId,
    /// Differs when anything in the task does, also where its name makes it the same entry.
    pub(super) content: EntryId,
    pub(super) spec: String,
    pub(super) schedule: Schedule,
    pub(super) task: Task,
    pub(super) catch_up: Option<CatchUp>,
    /// Ticks up to this Unix second are not its own; those of an entry that does not say so, up to its first start.
    pub(super) counts_from: Option<i64>,
}

impl PeriodicTask {
    /// A job, or an untyped task, to be enqueued at the times of a [schedule](Schedule::parse). Each of its tasks gets an
    /// ID of its own, unless the task names one.
    pub fn new(spec: impl Into<String>, task: impl IntoTask) -> Self {
        let task = task.into_task().map_err(|error| format!("{error:?}"));
        Self { spec: spec.into(), task, name: None, zone: None, catch_up: None }
    }

    /// The identity of the entry. Without a name an entry is all that is in it, and a change of its payload, say, makes
    /// it another one; with a name it stays the same, its last tick and its history with it.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The time zone of the schedule, such as `Europe/Rome`. Default: the scheduler's.
    #[must_use]
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.zone = Some(name.into());
        self
    }

    /// What becomes of ticks that passed while no scheduler ran. Default: the scheduler's.
    #[must_use]
    pub fn catch_up(mut self, policy: CatchUp) -> Self {
        self.catch_up = Some(policy);
        self
    }

    /// Sets options of its tasks, over those that the task has.
    #[must_use]
    pub fn options(mut self, set: impl FnOnce(TaskOptions) -> TaskOptions) -> Self {
        self.task = self.task.map(|task| task.options(set(TaskOptions::new())));
        self
    }

    /// The specification.
    pub fn spec(&self) -> &str {
        &self.spec
    }

    /// Checks everything.
    pub(super) fn prepare(self, default_zone: &str) -> Result<Prepared> {
        let Self { spec, task, name, zone, catch_up } = self;
        let zone = zone.as_deref().unwrap_or(default_zone);
        let schedule = Schedule::parse(&spec, zone)?;
        let task = task.map_err(|reason| no_task(&spec, &reason))?;
        if let Some(invalid) = task.options.invalid {
            return Err(invalid.into());
        }
        if name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(InvalidSchedule::new(&spec, &"its name must not be blank").into());
        }
        let content = EntryId::of_task(&spec, zone, &task);
        let id = name.map_or_else(|| content.clone(), |name| EntryId::named(&name));
        Ok(Prepared { id, content, spec, schedule, task, catch_up, counts_from: None })
    }
}

pub(super) fn no_task(spec: &str, reason: &str) -> InvalidSchedule {
    InvalidSchedule::new(spec, &format_args!("its task cannot be made: {reason}"))
}
