//! [`audit`]: what must hold at the end of a simulation, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};

use super::Event;
use super::history::{Returned, Went};
use super::machine::queues;
use crate::broker::conformance::Dump;
use crate::broker::conformance::model::broken_invariants;
use crate::broker::{MemoryBroker, RunToken};
use crate::wire::keys::{Keyspace, QueueKeys};

/// In what the events and the store contradict what a task framework promises. `slots`: how many tasks a machine may
/// run at a time, by the name of its server up to the dot.
pub(super) fn audit(events: &[Event], store: &MemoryBroker, slots: &BTreeMap<String, usize>) -> Vec<String> {
    let dump = store.dump();
    let mut wrong = broken_invariants(&dump);
    wrong.extend(lives(events));
    wrong.extend(outcomes(events));
    wrong.extend(concurrency(events, slots));
    wrong.extend(counters(events, &dump));
    wrong.extend(leftovers(&dump));
    wrong
}

/// Each life of each task has come to one end, by one run; and what the producer was told is stored was.
fn lives(events: &[Event]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut lives: BTreeMap<&str, Option<Went>> = BTreeMap::new();
    let mut runs = BTreeSet::new();
    for event in events {
        match event {
            Event::Accepted { id } => {
                let before = lives.insert(id, None);
                wrong.extend((before == Some(None)).then(|| format!("{id} is stored while it lives")));
            }
            Event::Acknowledged { id } if !lives.contains_key(id.as_str()) => {
                wrong.push(format!("{id} is acknowledged and was never stored"));
            }
            Event::Leased { id, .. } if lives.get(id.as_str()) != Some(&None) => {
                wrong.push(format!("{id} is taken, and does not live"));
            }
            Event::Settled { id, run, went, .. } => {
                if !runs.insert((id, run.as_ref().map(RunToken::as_str))) {
                    wrong.push(format!("{id}: run {run:?} is settled twice"));
                }
                match lives.get_mut(id.as_str()) {
                    Some(end @ None) => *end = went.is_end().then_some(*went),
                    other => wrong.push(format!("{id} is settled ({went:?}), and its life is {other:?}")),
                }
            }
            _ => {}
        }
    }
    wrong.extend(lives.iter().filter(|(_, end)| end.is_none()).map(|(id, _)| format!("{id} is lost")));
    wrong
}

/// A run is settled as its handler ended, unless its machine has ended before it could tell. A machine may run a task again
/// while the handler of an earlier run goes on.
fn outcomes(events: &[Event]) -> Vec<String> {
    let mut taken: BTreeMap<(&str, &str), &RunToken> = BTreeMap::new();
    let mut runs: BTreeMap<(&str, usize), &RunToken> = BTreeMap::new();
    let mut owners: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut returns: BTreeMap<(&str, &str), Returned> = BTreeMap::new();
    let mut wrong = Vec::new();
    for event in events {
        match event {
            Event::Leased { machine, id, run } => {
                taken.insert((machine, id), run);
                owners.insert((id, run.as_str()), machine);
            }
            Event::Began { machine, id, handler } => {
                if let Some(run) = taken.get(&(machine.as_str(), id.as_str())) {
                    runs.insert((machine, *handler), run);
                }
            }
            Event::Returned { machine, id, handler, returned } => {
                if let Some(run) = runs.get(&(machine.as_str(), *handler)) {
                    returns.insert((id, run.as_str()), *returned);
                }
            }
            Event::Settled { machine, id, run, went } => {
                let run = run.as_ref().map_or("", RunToken::as_str);
                let returned = returns.get(&(id.as_str(), run));
                let fits = match went {
                    Went::Done => matches!(returned, Some(Returned::Success | Returned::Revoke)),
                    Went::Completed => matches!(returned, Some(Returned::Success)),
                    // A recoverer archives what others have run, and knows not how it ended.
                    Went::Archived => {
                        owners.get(&(id.as_str(), run)) != Some(&machine.as_str())
                            || !matches!(returned, Some(Returned::Success | Returned::Revoke))
                    }
                    Went::Retry { .. } => matches!(returned, None | Some(Returned::Failure)),
                    Went::Back => true,
                };
                if !fits {
                    wrong.push(format!("{id} of {machine} returned {returned:?} and is settled as {went:?}"));
                }
            }
            _ => {}
        }
    }
    wrong
}

/// No machine runs more than it has slots for.
fn concurrency(events: &[Event], slots: &BTreeMap<String, usize>) -> Vec<String> {
    let mut running: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for event in events {
        match event {
            Event::Began { machine, .. } => {
                let now = running.entry(machine).or_default();
                *now += 1;
                let most = machine.split('.').next().and_then(|name| slots.get(name));
                if most.is_none_or(|most| *now > *most) {
                    wrong.push(format!("{machine} runs {now} tasks of {most:?}"));
                }
            }
            Event::Left { machine, .. } => {
                running.entry(machine).and_modify(|now| *now -= 1);
            }
            _ => {}
        }
    }
    wrong
}

/// The counters say how runs were settled.
fn counters(events: &[Event], dump: &Dump) -> Vec<String> {
    let (mut processed, mut failed) = (0_i64, 0_i64);
    for event in events {
        if let Event::Settled { went, .. } = event {
            let is_failure = matches!(went, Went::Archived | Went::Retry { is_failure: true });
            processed += i64::from(is_failure || matches!(went, Went::Done | Went::Completed));
            failed += i64::from(is_failure);
        }
    }
    let total = |key: fn(&QueueKeys) -> String| {
        let of = |queue| dump.string(&key(&Keyspace::default().queue(&queue)));
        queues().into_iter().filter_map(of).map(|number| number.parse::<i64>().unwrap_or(-1)).sum::<i64>()
    };
    let counted = (total(QueueKeys::processed_total), total(QueueKeys::failed_total));
    if counted == (processed, failed) {
        return Vec::new();
    }
    vec![format!("counted {counted:?}, settled {:?} (processed, failed)", (processed, failed))]
}

/// Nothing is left but tasks that ended, and what belongs to them.
fn leftovers(dump: &Dump) -> Vec<String> {
    let mut wrong = Vec::new();
    for queue in queues() {
        let keys = Keyspace::default().queue(&queue);
        for key in
            [keys.pending(), keys.active(), keys.lease(), keys.scheduled(), keys.retry(), keys.owners()]
        {
            if dump.contains(&key) {
                wrong.push(format!("{key} is left behind"));
            }
        }
        let locks = dump.entries.keys().filter(|key| key.starts_with(&format!("{}unique:", keys.prefix())));
        for lock in locks {
            let holder = dump.string(lock).unwrap_or_default();
            if !dump.contains(&keys.task(&holder)) {
                wrong.push(format!("{lock} is held by {holder}, which is gone"));
            }
        }
    }
    wrong.extend(
        dump.entries
            .keys()
            .filter(|key| key.starts_with("asynq:servers:") || key.starts_with("asynq:workers:"))
            .map(|key| format!("{key} is left behind by a server that has ended")),
    );
    wrong
}
