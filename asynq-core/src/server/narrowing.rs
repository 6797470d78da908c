//! [`Narrowing`]: of many queues, each call names a few.
//!
//! What a call costs grows with the queues that it names, and tasks of one queue are taken and settled together for much
//! less than as many of several. So each names some, drawn by their weights among those that may hold tasks. One that
//! brings less than was asked for has found all that it named empty: those are named again when a task is seen in them,
//! or after a moment.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::broker::QueueShare;
use crate::task::QueueName;

/// So many queues are named in each call as they are.
const FEW: usize = 4;

/// How many are named where there are more, at least and at most.
const NAMED: (usize, usize) = (2, 8);

/// For so many slots, another is named.
const SLOTS: usize = 12;

/// How long a queue that was found empty counts as empty while nobody watches it.
const MOMENT: Duration = Duration::from_millis(50);

/// Which queues were found empty.
#[derive(Debug)]
pub(super) struct Narrowing {
    empty: HashSet<QueueName>,
    /// Until when that was looked at, or watched.
    since: Instant,
    /// Where a task was seen: it is named next.
    seen: Option<QueueName>,
    /// Whether some that the last call did not name may hold tasks.
    has_more: bool,
}

impl Narrowing {
    pub(super) fn new() -> Self {
        Self { empty: HashSet::new(), since: Instant::now(), seen: None, has_more: false }
    }

    /// Leaves those that a call for so many tasks names; whether it names some only.
    pub(super) fn narrow(&mut self, shares: &mut Vec<QueueShare>, slots: usize) -> bool {
        self.has_more = false;
        if shares.len() <= FEW {
            return false;
        }
        if self.since.elapsed() >= MOMENT {
            self.empty.clear();
        }
        let (seen, named) = (self.seen.take(), (slots / SLOTS).clamp(NAMED.0, NAMED.1));
        let mut drawn: Vec<(f64, QueueShare)> = Vec::new();
        for share in shares.drain(..).filter(|share| share.slots > 0 && !self.empty.contains(&share.queue)) {
            // The highest of such keys are a draw without replacement, each with a chance by its weight.
            let key = fastrand::f64().powf(1.0 / f64::from(share.weight.max(1)));
            drawn.push((if seen.as_ref() == Some(&share.queue) { 1.0 } else { key }, share));
        }
        if drawn.len() > named {
            self.has_more = true;
            drawn.select_nth_unstable_by(named, |one, other| other.0.total_cmp(&one.0));
            drawn.truncate(named);
        }
        shares.extend(drawn.into_iter().map(|(_, share)| share));
        true
    }

    /// A call that named these has brought less than it asked for.
    pub(super) fn found_empty(&mut self, queues: impl Iterator<Item = QueueName>) {
        if self.empty.is_empty() {
            self.since = Instant::now();
        }
        self.empty.extend(queues);
    }

    /// A task was seen in this queue, while all were watched; or in any.
    pub(super) fn seen(&mut self, queue: Option<&QueueName>) {
        match queue {
            Some(queue) => {
                self.empty.remove(queue);
                self.seen = Some(queue.clone());
                self.since = Instant::now();
            }
            None => self.empty.clear(),
        }
    }

    /// Whether queues that the last call did not name may hold tasks.
    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(count: usize) -> Vec<QueueShare> {
        (0..count).map(|n| QueueShare::new(QueueName::new(format!("q{n}")).unwrap(), 1)).collect()
    }

    fn names(shares: &[QueueShare]) -> impl Iterator<Item = QueueName> {
        shares.iter().map(|share| share.queue.clone())
    }

    const ENOUGH: usize = 1_000;

    #[tokio::test(start_paused = true)]
    async fn few_queues_are_all_named() {
        let mut narrowing = Narrowing::new();
        let mut all = shares(FEW);
        narrowing.found_empty(names(&all));
        assert!(!narrowing.narrow(&mut all, 1));
        assert_eq!((all.len(), narrowing.has_more()), (FEW, false));
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_each_is_named_once_before_all_are_empty() {
        let mut narrowing = Narrowing::new();
        let mut seen = HashSet::new();
        loop {
            let mut some = shares(100);
            assert!(narrowing.narrow(&mut some, ENOUGH));
            assert!(some.len() <= NAMED.1 && !some.is_empty());
            assert!(some.iter().all(|share| seen.insert(share.queue.clone())));
            narrowing.found_empty(names(&some));
            if !narrowing.has_more() {
                break;
            }
        }
        assert_eq!(seen.len(), 100);
        let mut none = shares(100);
        narrowing.narrow(&mut none, ENOUGH);
        assert!(none.is_empty());

        let one = QueueName::new("q7").unwrap();
        narrowing.seen(Some(&one));
        let mut some = shares(100);
        narrowing.narrow(&mut some, ENOUGH);
        assert!(names(&some).eq([one.clone()]));

        // Where all may hold tasks, that in which one was seen is named all the same.
        tokio::time::advance(MOMENT).await;
        for slots in [1, 12, 24, ENOUGH] {
            narrowing.seen(None);
            narrowing.seen(Some(&one));
            let mut some = shares(100);
            narrowing.narrow(&mut some, slots);
            assert_eq!(some.len(), (slots / SLOTS).clamp(NAMED.0, NAMED.1));
            assert!(narrowing.has_more() && names(&some).any(|name| name == one));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn weights_are_kept() {
        let mut narrowing = Narrowing::new();
        let mut heavy = 0;
        for _ in 0..1_000 {
            let mut some = shares(200);
            for share in some.iter_mut().take(10) {
                share.weight = 50;
            }
            narrowing.narrow(&mut some, ENOUGH);
            heavy += some.iter().filter(|share| share.weight > 1).count();
        }
        // Ten of weight 50 beside 190 of weight 1: most of the eight that are named, though none is named twice.
        assert!((4_500..7_000).contains(&heavy), "{heavy}");
    }
}
