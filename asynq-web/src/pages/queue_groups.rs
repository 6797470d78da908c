//! Queues that share a prefix, as one line: how they are grouped, and what stands in the line.

use std::collections::{BTreeMap, BTreeSet};

use asynq_core::inspector::{QueueInfo, human};
use asynq_core::task::TaskState;
use maud::{Markup, html};

use super::parts::{count, distribution, error_rate, length, none, number};
use crate::links::Link;

/// What ends a prefix.
const SEPARATORS: [char; 3] = [':', '-', '.'];

/// A line of the table of queues.
#[derive(Debug)]
pub(super) enum Line {
    Queue(QueueInfo),
    Group(Group),
}

/// Queues that share a prefix.
#[derive(Debug)]
pub(super) struct Group {
    /// What their names begin with, with what ends it.
    pub(super) prefix: String,
    pub(super) members: Vec<QueueInfo>,
    /// All of them together, under the name of the first.
    sum: QueueInfo,
}

impl Line {
    pub(super) fn info(&self) -> &QueueInfo {
        match self {
            Self::Queue(info) => info,
            Self::Group(group) => &group.sum,
        }
    }

    /// How many queues it stands for.
    pub(super) fn queues(&self) -> usize {
        match self {
            Self::Queue(_) => 1,
            Self::Group(group) => group.members.len(),
        }
    }
}

/// A line for each prefix that several queues share, and for each queue that shares none.
pub(super) fn folded(queues: Vec<QueueInfo>) -> Vec<Line> {
    let mut by_prefix: BTreeMap<String, Vec<QueueInfo>> = BTreeMap::new();
    let mut lines = Vec::new();
    for queue in queues {
        match prefix(queue.queue.as_str()).map(str::to_owned) {
            Some(prefix) => by_prefix.entry(prefix).or_default().push(queue),
            None => lines.push(Line::Queue(queue)),
        }
    }
    for (prefix, members) in by_prefix {
        match sum(&members) {
            Some(sum) if members.len() > 1 => lines.push(Line::Group(Group { prefix, members, sum })),
            _ => lines.extend(members.into_iter().map(Line::Queue)),
        }
    }
    lines
}

/// What a name begins with, up to the first separator, if something is before and behind that.
fn prefix(name: &str) -> Option<&str> {
    let end = name.find(SEPARATORS).filter(|end| *end > 0)?;
    let (prefix, rest) = name.split_at_checked(end + 1)?;
    (!rest.is_empty()).then_some(prefix)
}

fn sum(queues: &[QueueInfo]) -> Option<QueueInfo> {
    let (first, others) = queues.split_first()?;
    let mut sum = first.clone();
    for queue in others {
        sum.pending += queue.pending;
        sum.active += queue.active;
        sum.scheduled += queue.scheduled;
        sum.retry += queue.retry;
        sum.archived += queue.archived;
        sum.completed += queue.completed;
        sum.aggregating += queue.aggregating;
        sum.orphaned += queue.orphaned;
        sum.processed += queue.processed;
        sum.failed += queue.failed;
        // As long as the one that waits longest.
        sum.latency = sum.latency.max(queue.latency);
        if queue.queue < sum.queue {
            sum.queue = queue.queue.clone();
        }
    }
    Some(sum)
}

impl Group {
    /// Its line: what all its queues have together, and a link that opens it, or closes it again.
    pub(super) fn row(&self, link: &Link, is_open: bool, most: usize, consumed: &BTreeSet<String>) -> Markup {
        let sum = &self.sum;
        html! {
            th scope="row" {
                a href=(link) aria-expanded=(is_open) { (human::printable(&self.prefix)) "…" }
                " " span.count { (count(self.members.len())) span.hidden { " queues" } }
                " " (self.badges(consumed))
            }
            td.wide { (distribution(sum, most)) }
            td {}
            td.right { (number(sum.size())) }
            td.right { (number(sum.pending)) }
            td.right { (number(sum.retry)) }
            td.right { (length(sum.latency)) }
            td.right { (count(sum.processed)) }
            td.right { @if sum.failed > 0 { span.bad { (count(sum.failed)) } } @else { span.zero { "0" } } }
            td.right { (error_rate(sum.failed, sum.processed)) }
            td.right { (none()) }
            td {}
        }
    }

    fn badges(&self, consumed: &BTreeSet<String>) -> Markup {
        let paused = self.members.iter().filter(|queue| queue.is_paused()).count();
        let waits = |queue: &&QueueInfo| queue.count(TaskState::Pending) > 0 && !queue.is_paused();
        let alone = self
            .members
            .iter()
            .filter(waits)
            .filter(|queue| !consumed.contains(queue.queue.as_str()))
            .count();
        html! {
            @if paused > 0 { span.badge.warn { (count(paused)) " paused" } " " }
            @if alone > 0 {
                span.badge.alarm title="Queues in which tasks are pending, and from which no server that lives takes." {
                    (count(alone)) " without worker"
                }
                " "
            }
            @if self.sum.orphaned > 0 { span.badge.alarm { (count(self.sum.orphaned)) " orphaned" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_something_before_and_behind_its_end() {
        for (name, expected) in [
            ("mail:low", Some("mail:")),
            ("mail-eu.low", Some("mail-")),
            ("é.b", Some("é.")),
            ("mail", None),
            ("mail:", None),
            (":low", None),
            ("", None),
        ] {
            assert_eq!(prefix(name), expected, "{name}");
        }
    }
}
