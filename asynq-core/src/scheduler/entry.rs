//! [`Entry`]: a registered periodic task and how far it has come.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::option_strings::option_strings;
use super::periodic_task::Prepared;
use super::{CatchUp, EntryId, Schedule};
use crate::clock::from_unix_seconds;
use crate::payload::Payloads;
use crate::task::{QueueName, Task};
use crate::wire::{SchedulerEntry, WireTimestamp};

/// A registered periodic task.
pub(super) struct Entry {
    pub(super) id: EntryId,
    pub(super) content: EntryId,
    pub(super) spec: String,
    pub(super) schedule: Schedule,
    pub(super) task: Task,
    pub(super) queue: QueueName,
    pub(super) catch_up: CatchUp,
    /// Ticks up to this Unix second are not its own.
    pub(super) counts_from: Option<i64>,
    /// Its tasks are encrypted, and so it does not show their payload.
    is_secret: bool,
    progress: Mutex<Progress>,
}

/// How far an entry has come, in Unix seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Its last tick, whoever enqueued it.
    pub(super) last: Option<i64>,
    /// Up to here all ticks are dealt with.
    pub(super) settled: Option<i64>,
}

impl Entry {
    pub(super) fn new(prepared: Prepared, default_policy: CatchUp, payloads: &Payloads) -> Self {
        let Prepared { id, content, spec, schedule, task, catch_up, counts_from } = prepared;
        let queue = task.options.queue.clone().unwrap_or_default();
        let catch_up = catch_up.unwrap_or(default_policy);
        let is_secret = payloads.encrypts(task.layers);
        Self {
            id,
            content,
            spec,
            schedule,
            task,
            queue,
            catch_up,
            counts_from,
            is_secret,
            progress: Mutex::default(),
        }
    }

    /// Never held across an await.
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tools are shown at this Unix second.
    pub(super) fn shown(&self, now: i64) -> SchedulerEntry {
        let Progress { last, settled } = *self.progress();
        let next = self.schedule.next_tick(settled.unwrap_or(now));
        let time = |second: Option<i64>| {
            Some(second.map_or_else(WireTimestamp::never, |at| WireTimestamp::from(from_unix_seconds(at))))
        };
        SchedulerEntry {
            id: self.id.as_str().to_owned(),
            spec: self.spec.clone(),
            task_type: self.task.task_type.as_str().to_owned(),
            task_payload: self.task.payload.clone().filter(|_| !self.is_secret).unwrap_or_default(),
            enqueue_options: option_strings(&self.task),
            next_enqueue_time: time(next),
            prev_enqueue_time: time(last),
            ..SchedulerEntry::default()
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payload may be private.
        f.debug_struct("Entry")
            .field("id", &self.id)
            .field("spec", &self.spec)
            .field("task_type", &self.task.task_type)
            .field("queue", &self.queue)
            .field("catch_up", &self.catch_up)
            .finish_non_exhaustive()
    }
}
