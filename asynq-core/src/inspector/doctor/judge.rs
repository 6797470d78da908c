//! What is wrong with one task, given all that is known of it, and where it should stand. Pure.

use super::Class;
use crate::broker::{Collection, Spot, Standing};
use crate::task::TaskState;
use crate::wire::TaskMessage;

/// How long after the end of a lease nobody has taken the task over, seconds: as long as servers of Go wait.
const TAKEN_OVER: i64 = 30;

/// What a judgment depends on beside the task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// Unix seconds.
    pub(super) now: i64,
    /// Whether a running server serves the queue.
    pub(super) is_served: bool,
}

/// What is wrong, if anything. Where nobody looked whether it is pending, it is taken to be so once if `is_pending`.
pub(super) fn fault_of(task: &Standing, is_pending: bool, around: Circumstances) -> Option<Class> {
    let pending = task.pending.unwrap_or(usize::from(is_pending));
    let places = pending + task.spots.len();
    if !["hash", "none"].contains(&task.kind.as_str()) {
        return Some(Class::WrongType);
    }
    let Some(message) = &task.message else {
        let is_anywhere = places > 0 || task.lease.is_some() || task.kind == "hash";
        return is_anywhere.then_some(Class::Ghost);
    };
    let only = match task.spots.as_slice() {
        [] if pending > 0 => Some(Spot::In(Collection::Pending)),
        [(spot, _)] if pending == 0 => Some(spot.clone()),
        _ => None,
    };
    if only != Some(Spot::In(Collection::Archived)) && TaskMessage::decode(message.clone()).is_err() {
        return Some(Class::Unreadable);
    }
    let Some(spot) = only.filter(|_| places == 1) else {
        return Some(if places == 0 { Class::Lost } else { Class::Doubled });
    };
    let agrees = spot.state().is_some_and(|state| state.as_str() == task.state);
    let group_agrees = match &spot {
        Spot::In(Collection::Group(group)) => *group == task.group,
        _ => true,
    };
    if !agrees || !group_agrees {
        return Some(Class::Misplaced);
    }
    match (spot == Spot::In(Collection::Active), task.lease) {
        (true, None) => Some(Class::Unleased),
        (true, Some(until)) if !around.is_served && until + TAKEN_OVER <= around.now => Some(Class::Orphaned),
        (false, Some(_)) => Some(Class::StrayLease),
        _ if !stale_fields(task).is_empty() => Some(Class::StaleFields),
        _ => None,
    }
}

/// Fields of our own that mean nothing in the state of the task: a run that is over, a group that it will not join.
pub(super) fn stale_fields(task: &Standing) -> Vec<&str> {
    let means_something = |name: &str| match name {
        "x_group" => ["scheduled", "archived"].contains(&task.state.as_str()),
        _ => task.state == TaskState::Active.as_str(),
    };
    task.own.keys().map(String::as_str).filter(|name| !means_something(name)).collect()
}

/// Where a task that is at fault should stand, and with which score; `None` when it should be gone.
pub(super) fn right_place(task: &Standing, class: Class, now: i64) -> Option<(Spot, i64)> {
    let place = |collection| Some((Spot::In(collection), now));
    match class {
        Class::Unreadable => place(Collection::Archived),
        Class::Doubled => Some(one_of(task)),
        Class::Misplaced | Class::StrayLease | Class::StaleFields => {
            Some(task.spots.first().cloned().unwrap_or((Spot::In(Collection::Pending), 0)))
        }
        Class::Unleased => place(Collection::Active),
        Class::Orphaned => place(Collection::Pending),
        Class::Lost => Some(home(task, now)),
        _ => None,
    }
}

/// Of several places where a task stands: the one that it names itself, or where it runs soonest.
fn one_of(task: &Standing) -> (Spot, i64) {
    let pending = (Spot::In(Collection::Pending), 0);
    let is_pending = task.pending.is_some_and(|times| times > 0);
    if is_pending && task.state == TaskState::Pending.as_str() {
        return pending;
    }
    let named = |(spot, _): &&(Spot, i64)| spot.state().is_some_and(|state| state.as_str() == task.state);
    let urgency = |(spot, _): &&(Spot, i64)| match spot {
        Spot::In(Collection::Active) => 0,
        Spot::In(Collection::Retry) => 1,
        Spot::In(Collection::Scheduled) => 2,
        // Whoever has the set in hand runs it.
        Spot::Staged(_) => 3,
        Spot::In(Collection::Group(_)) => 4,
        _ => 5,
    };
    let spots = || task.spots.iter();
    let soonest = spots().min_by_key(urgency).filter(|_| !is_pending);
    // One that runs keeps its worker, whatever else is said of it.
    let kept = spots().filter(named).min_by_key(urgency).or(soonest);
    kept.cloned().unwrap_or(pending)
}

/// Where a task that stands nowhere belongs by what is stored with it.
fn home(task: &Standing, now: i64) -> (Spot, i64) {
    let message = task.message.clone().and_then(|bytes| TaskMessage::decode(bytes).ok()).unwrap_or_default();
    let group = if task.group.is_empty() { message.group_key.clone() } else { task.group.clone() };
    let (collection, score) = match task.state.parse() {
        Ok(TaskState::Scheduled) => (Collection::Scheduled, now),
        Ok(TaskState::Retry) => (Collection::Retry, now),
        Ok(TaskState::Archived) => (Collection::Archived, now),
        Ok(TaskState::Completed) => {
            (Collection::Completed, message.completed_at.saturating_add(message.retention))
        }
        Ok(TaskState::Aggregating) if !group.is_empty() => (Collection::Group(group), now),
        // Nobody knows whether one that was active has done its work.
        _ => (Collection::Pending, 0),
    };
    (Spot::In(collection), score)
}
