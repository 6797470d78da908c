//! Schedules as visitors know them: those that schedulers tell of and those that are stored, as far as they may be seen.

use asynq_core::Error;
use asynq_core::inspector::ScheduledEntry;
use asynq_core::scheduler::{KnownSchedule, KnownSchedules, Schedule, StoredSchedule, StoredSchedules};
use asynq_core::task::TaskInfo;
use jiff::Timestamp;

use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// How many of the next times are told.
const NEXT: usize = 5;

impl Visit {
    /// The stored schedules, for somebody who has this right in this queue; where none is named, to what belongs to no
    /// single one.
    pub(crate) fn schedules(&self, right: Right, queue: Option<&str>) -> Result<StoredSchedules, Problem> {
        if self.may_in(right, queue) {
            Ok(StoredSchedules::new(&self.shared.client))
        } else {
            Err(Problem::forbidden(right, queue))
        }
    }
}

/// Those that the visitor may see, each once. What cannot be read has no queue: it is for who is limited to none.
pub(crate) async fn known(visit: &Visit) -> Result<KnownSchedules, Problem> {
    visit.inspector_of_all(Right::View)?;
    let mut known = StoredSchedules::new(&visit.shared.client).known().await?;
    known.schedules.retain(|schedule| visit.may(Right::View, schedule.entry.queue()));
    known.schedules.sort_by(|a, b| {
        let (a, b) = (&a.entry, &b.entry);
        (&a.task_type, &a.spec, &a.id).cmp(&(&b.task_type, &b.spec, &b.id))
    });
    // Schedulers with the same entries tell of them under the same ID.
    known.schedules.dedup_by(|a, b| a.entry.id == b.entry.id);
    if !visit.may_in(Right::View, None) {
        known.unreadable.clear();
    }
    Ok(known)
}

/// What schedulers that live tell of, as far as the visitor may see it.
pub(crate) async fn entries(visit: &Visit) -> Result<Vec<ScheduledEntry>, Problem> {
    let mut entries = visit.inspector_of_all(Right::View)?.scheduler_entries().await?;
    entries.retain(|entry| visit.may(Right::View, entry.queue()));
    entries.sort_by(|a, b| (&a.task_type, &a.spec, &a.id).cmp(&(&b.task_type, &b.spec, &b.id)));
    entries.dedup_by(|a, b| a.id == b.id);
    Ok(entries)
}

/// One that the visitor may see, by the ID of its entry.
pub(crate) async fn known_of(visit: &Visit, id: &str) -> Result<KnownSchedule, Problem> {
    let known = known(visit).await?;
    if let Some(found) = known.schedules.into_iter().find(|schedule| schedule.entry.id == id) {
        return Ok(found);
    }
    match known.unreadable.into_iter().find(|bad| bad.entry_id().as_str() == id) {
        Some(bad) => Err(Error::UnreadableSchedule { name: bad.name, reason: bad.reason }.into()),
        None => Err(Error::EntryNotFound { id: id.to_owned() }.into()),
    }
}

/// One that is stored, for somebody who may change it.
pub(crate) async fn managed(visit: &Visit, id: &str) -> Result<(StoredSchedules, StoredSchedule), Problem> {
    let known = known_of(visit, id).await?;
    let schedules = visit.schedules(Right::EditSchedule, Some(known.entry.queue()))?;
    let stored = known.stored.ok_or_else(|| {
        Problem::new("not_managed", "this schedule is written in a program, and can only be changed there")
    })?;
    Ok((schedules, stored))
}

/// The name of one that is stored, readable or not, for somebody who may delete it; and its queue, if that is known.
pub(crate) async fn deletable(visit: &Visit, id: &str) -> Result<(String, String), Problem> {
    let found = known(visit).await?;
    if let Some(bad) = found.unreadable.iter().find(|bad| bad.entry_id().as_str() == id) {
        visit.schedules(Right::EditSchedule, None)?;
        return Ok((bad.name.clone(), String::new()));
    }
    let (_, stored) = managed(visit, id).await?;
    Ok((stored.name().to_owned(), stored.queue().to_string()))
}

/// Enqueues what a schedule would enqueue.
pub(crate) async fn fire(visit: &Visit, schedule: &KnownSchedule) -> Result<TaskInfo, Problem> {
    let queue = schedule.entry.queue();
    let schedules = visit.schedules(Right::RunSchedule, Some(queue))?;
    let task = match &schedule.stored {
        Some(stored) => schedules.task(stored)?,
        None => schedule.entry.task()?,
    };
    let stored = visit.shared.client.enqueue(task).await;
    Ok(visit.audited("run_schedule", queue, &schedule.entry.id, stored).await?.into_info())
}

/// When it fires next, as far as we can tell: of those in programs, from the next time that a scheduler told.
pub(crate) fn next_times(schedule: &KnownSchedule, now: Timestamp) -> Vec<Timestamp> {
    let entry = &schedule.entry;
    if let Some(stored) = &schedule.stored {
        return stored.next_times(now, NEXT);
    }
    let Ok(times) = Schedule::parse(&entry.spec, "UTC") else { return entry.next.into_iter().collect() };
    std::iter::successors(entry.next, |at| times.next(*at)).take(NEXT).collect()
}

/// One that a scheduler tells of and the visitor may see.
pub(crate) async fn entry_of(visit: &Visit, id: &str) -> Result<ScheduledEntry, Problem> {
    let found = entries(visit).await?.into_iter().find(|entry| entry.id == id);
    found.ok_or_else(|| Error::EntryNotFound { id: id.to_owned() }.into())
}
