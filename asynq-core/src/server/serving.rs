//! [`Serving`]: what the processor knows of the queues it takes from, between one call and the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;

use super::Queues;
use super::limits::{Ask, Limits};
use super::narrowing::Narrowing;
use super::queues::Served;
use super::running::Running;
use crate::broker::Exchanged;
use crate::task::QueueName;

/// The queues, and which of them are worth asking for.
#[derive(Debug)]
pub(super) struct Serving {
    watch: watch::Receiver<Served>,
    served: Served,
    /// Every queue that a call whose answer was lost may have leased from.
    taken_from: BTreeSet<QueueName>,
    /// Whether a call in flight asks for what is limited.
    is_asked: bool,
    /// Something limited has ended since it was asked for last: there is room for another.
    has_room: bool,
    is_limited: bool,
    /// Paused, as the last answer said, or full of types that are.
    paused: Vec<QueueName>,
    /// Queues that ran as many tasks as they may when last asked for.
    full: Vec<QueueName>,
    /// Both: only looked at now and then.
    resting: Vec<QueueName>,
    /// None where each call names all queues.
    narrowing: Option<Narrowing>,
}

impl Serving {
    pub(super) fn new(queues: &Queues, limits: &Limits) -> Self {
        let mut watch = queues.watch();
        let served = Arc::clone(&watch.borrow_and_update());
        let mut serving = Self {
            watch,
            served: Arc::from([]),
            taken_from: BTreeSet::new(),
            is_asked: false,
            has_room: false,
            is_limited: false,
            paused: Vec::new(),
            full: Vec::new(),
            resting: Vec::new(),
            narrowing: Some(Narrowing::new()),
        };
        serving.changed(&served, limits);
        serving
    }

    /// The same, but each call names all queues: one tells whether there is anything.
    pub(super) fn naming_all(mut self) -> Self {
        self.narrowing = None;
        self
    }

    /// Tells of each change since this was made.
    pub(super) fn watch(&self) -> watch::Receiver<Served> {
        self.watch.clone()
    }

    pub(super) fn names(&self) -> Vec<QueueName> {
        self.served.iter().map(|queue| queue.name.clone()).collect()
    }

    /// Other queues from now on.
    pub(super) fn changed(&mut self, served: &Served, limits: &Limits) {
        self.served = Arc::clone(served);
        self.taken_from.extend(served.iter().map(|queue| queue.name.clone()));
        self.is_limited = limits.any(served);
        self.has_room = self.is_limited;
        self.full.clear();
        self.rest();
    }

    /// What to ask for with so many slots free.
    pub(super) fn ask(&mut self, limits: &Limits, running: &Running, slots: usize) -> Ask {
        if self.has_room {
            // A queue that was full counts as empty.
            self.seen(None);
        }
        let mut ask = limits.ask(&self.served, running, slots, self.is_asked);
        if ask.is_limited {
            self.has_room = false;
            self.full.clear();
            let full = ask.demand.queues.iter().filter(|share| share.slots == 0);
            self.full.extend(full.map(|share| share.queue.clone()));
            self.rest();
        }
        // In strict order, the first that holds a task decides: all are named.
        if ask.demand.slots > 0
            && !ask.demand.strict
            && let Some(narrowing) = &mut self.narrowing
        {
            ask.is_narrow = narrowing.narrow(&mut ask.demand.queues, ask.demand.slots);
            let most = ask.demand.queues.iter().fold(0_usize, |sum, share| sum.saturating_add(share.slots));
            ask.demand.slots = ask.demand.slots.min(most);
        }
        // Where nothing is left to ask for, no answer will come.
        ask.is_limited &= ask.demand.slots > 0;
        self.is_asked |= ask.is_limited;
        ask
    }

    /// A call that asked for tasks, of all queues or of those that are named, was answered.
    pub(super) fn answered(&mut self, is_limited: bool, named: Option<&[QueueName]>, exchanged: &Exchanged) {
        self.unanswered(is_limited);
        self.paused.retain(|queue| named.is_some_and(|named| !named.contains(queue)));
        self.paused.extend_from_slice(&exchanged.paused);
        self.paused.extend_from_slice(&exchanged.passed_over);
        // Beside another call, this one took nothing that is limited; perhaps there was room.
        self.has_room |= !is_limited && !exchanged.passed_over.is_empty();
        self.rest();
    }

    /// A call failed: what it asked for may be asked for by another.
    pub(super) fn unanswered(&mut self, is_limited: bool) {
        if is_limited {
            self.is_asked = false;
        }
    }

    /// A run has ended.
    pub(super) fn ended(&mut self, limits: &Limits, queue: &QueueName, task_type: &str) {
        self.has_room |= self.is_limited && limits.cover(&self.served, queue.as_str(), task_type);
    }

    /// Whether there is room for something limited that has not been asked for.
    pub(super) fn has_room(&self) -> bool {
        self.has_room && !self.is_asked
    }

    /// A call that named these has brought less than it asked for.
    pub(super) fn found_empty(&mut self, queues: impl Iterator<Item = QueueName>) {
        if let Some(narrowing) = &mut self.narrowing {
            narrowing.found_empty(queues);
        }
    }

    /// A task was seen in this queue, while all were watched; or in any.
    pub(super) fn seen(&mut self, queue: Option<&QueueName>) {
        if let Some(narrowing) = &mut self.narrowing {
            narrowing.seen(queue);
        }
    }

    /// Whether queues that the last call did not name may hold tasks.
    pub(super) fn has_more(&self) -> bool {
        self.narrowing.as_ref().is_some_and(Narrowing::has_more)
    }

    /// Queues that need no watching now.
    pub(super) fn resting(&self) -> &[QueueName] {
        &self.resting
    }

    /// Where tasks may be that were leased without our knowing.
    pub(super) fn taken_from(&self) -> Vec<QueueName> {
        self.taken_from.iter().cloned().collect()
    }

    /// Those have been put back.
    pub(super) fn reclaimed(&mut self) {
        self.taken_from = self.served.iter().map(|queue| queue.name.clone()).collect();
    }

    fn rest(&mut self) {
        self.resting.clear();
        self.resting.extend_from_slice(&self.paused);
        self.resting.extend_from_slice(&self.full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::queues::ServedQueue;

    fn named(ask: &Ask) -> Vec<QueueName> {
        ask.demand.queues.iter().map(|share| share.queue.clone()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_asked_for_in_vain_is_asked_for_again() {
        let queue = |n: usize| ServedQueue {
            name: QueueName::new(format!("q{n}")).unwrap(),
            priority: 1,
            concurrency: Some(1).filter(|_| n == 0),
        };
        let limits = Limits::new("server".to_owned(), false, []);
        let mut serving = Serving::new(&Queues::new((0..10).map(queue)), &limits);
        let running = Running::default();
        serving.has_room = false;
        serving.found_empty((0..10).map(|n| queue(n).name));
        let nothing = serving.ask(&limits, &running, 10);
        assert_eq!((nothing.demand.slots, nothing.is_limited), (0, false));
        serving.seen(Some(&queue(0).name));
        let ask = serving.ask(&limits, &running, 10);
        assert_eq!((named(&ask), ask.demand.slots, ask.is_limited), (vec![queue(0).name], 1, true));
    }
}
