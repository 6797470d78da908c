//! [`broken_invariants`]: what must hold after every operation that does not break the store.

use std::collections::BTreeSet;

use super::op::{GROUPS, QUEUES, group_name, queue_name};
use crate::broker::conformance::Dump;
use crate::broker::lock::read_lock;
use crate::task::TaskState;
use crate::wire::keys::{Keyspace, QueueKeys};

/// In what a dump contradicts the invariants of a store that nobody broke; for the queues of [`Op`](super::Op).
pub fn broken_invariants(dump: &Dump) -> Vec<String> {
    (0..QUEUES)
        .flat_map(|number| broken_in_queue(dump, &Keyspace::default().queue(&queue_name(number))))
        .collect()
}

fn broken_in_queue(dump: &Dump, keys: &QueueKeys) -> Vec<String> {
    let members = |key: String| dump.zset(&key).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let mut places = vec![
        (TaskState::Pending, dump.list(&keys.pending())),
        (TaskState::Active, dump.list(&keys.active())),
        (TaskState::Scheduled, members(keys.scheduled())),
        (TaskState::Retry, members(keys.retry())),
        (TaskState::Archived, members(keys.archived())),
        (TaskState::Completed, members(keys.completed())),
    ];
    let sets = members(keys.aggregation_sets());
    places.extend(sets.iter().map(|set| (TaskState::Aggregating, members(set.clone()))));
    places.extend((0..GROUPS).map(|group| (TaskState::Aggregating, members(keys.group(&group_name(group))))));

    let mut broken = Vec::new();
    let mut placed = BTreeSet::new();
    for (state, ids) in &places {
        for id in ids {
            let key = keys.task(id);
            let hash = dump.hash(&key);
            if !placed.insert(key.clone()) {
                broken.push(format!("{key} is in two collections"));
            }
            if hash.get("state").is_none_or(|stored| stored != state.as_str()) {
                broken.push(format!("{key} is in {state} but says {:?}", hash.get("state")));
            }
            if !hash.contains_key("msg") {
                broken.push(format!("{key} has no message"));
            }
            if (*state == TaskState::Active) != hash.contains_key("x_run") {
                broken.push(format!("{key} is {state} and has the wrong token"));
            }
            // Compat: what is archived while it is pending keeps it.
            let may_have = [TaskState::Pending, TaskState::Archived].contains(state);
            let has = hash.contains_key("pending_since");
            if (*state == TaskState::Pending && !has) || (has && !may_have) {
                broken.push(format!("{key} is {state} and has the wrong pending_since"));
            }
        }
    }
    let tasks = dump.entries.keys().filter(|key| key.starts_with(&keys.task_prefix()));
    broken.extend(tasks.filter(|key| !placed.contains(*key)).map(|key| format!("{key} is in no collection")));
    let (mut active, mut leased) = (dump.list(&keys.active()), members(keys.lease()));
    active.sort();
    leased.sort();
    if active != leased {
        broken.push(format!("{active:?} are active, but {leased:?} have a lease"));
    }
    let locks = ["unique:", "x:unique:"].map(|kind| format!("{}{kind}", keys.prefix()));
    for lock in dump.entries.keys().filter(|key| locks.iter().any(|kind| key.starts_with(kind))) {
        let value = dump.string(lock).unwrap_or_default();
        let (holder, is_kept) = read_lock(&value);
        if !is_kept && !dump.contains(&keys.task(holder)) {
            broken.push(format!("{lock} was left behind by {holder}"));
        }
    }
    let known = dump.set(&keys.groups());
    for group in (0..GROUPS).map(group_name).filter(|group| dump.contains(&keys.group(group))) {
        if !known.contains(&group) {
            broken.push(format!("group {group} of {} holds tasks and is not known", keys.prefix()));
        }
    }
    broken
}
