//! [`Presence`]: the queues in which this server beats.
//!
//! A beat keeps others from recovering what this server holds. Where it holds nothing it need not beat, and an idle
//! server costs next to nothing, however many queues it serves. So it beats in a queue from the first task that it takes
//! there, whose lease *is* a beat, until nothing was asked of the queue for a few looks; then it takes its name back. A
//! name that stands there without beats is that of a dead server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::broker::QueueShare;
use crate::task::QueueName;

/// For how many looks of the recoverer a server stays that asks no more. They take longer than any call, so that none
/// leases after the server has left what it asked for before.
const STAY: u32 = 3;

/// Shared by the processor, which asks for tasks, and the recoverer, which beats.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence(Arc<Mutex<BTreeMap<QueueName, Stay>>>);

#[derive(Clone, Copy, Debug)]
struct Stay {
    /// Looks until it ends.
    looks: u32,
    /// Whether it has begun: there was a beat.
    is_known: bool,
}

impl Presence {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<QueueName, Stay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tasks of these queues are going to be asked for: where the server does not beat, the first lease is to.
    pub(super) fn ask(&self, shares: &mut [QueueShare]) {
        let mut stays = self.lock();
        for share in shares {
            if let Some(stay) = stays.get_mut(&share.queue) {
                stay.looks = STAY;
                share.beat = !stay.is_known;
            } else {
                stays.insert(share.queue.clone(), Stay { looks: STAY, is_known: false });
                share.beat = true;
            }
        }
    }

    /// One look has passed. It stays where tasks are active, and where it serves and asked of late: the queues that it
    /// leaves, in which it is to be retired before the next [`queues`](Self::queues).
    pub(super) fn turn(&self, served: &BTreeSet<QueueName>, active: &[QueueName]) -> Vec<QueueName> {
        let mut stays = self.lock();
        let mut left = Vec::new();
        stays.retain(|queue, stay| {
            let stays = stay.looks > 0 && served.contains(queue) || active.contains(queue);
            stay.looks = stay.looks.saturating_sub(1);
            if !stays {
                left.push(queue.clone());
            }
            stays
        });
        drop(stays);
        self.stay(active);
        left
    }

    /// It stays there for one look at least: something is active, or it could not be retired.
    pub(super) fn stay(&self, queues: &[QueueName]) {
        let mut stays = self.lock();
        for queue in queues {
            stays.entry(queue.clone()).or_insert(Stay { looks: 0, is_known: false });
        }
    }

    /// Where it is to beat.
    pub(super) fn queues(&self) -> Vec<QueueName> {
        self.lock().keys().cloned().collect()
    }

    /// It has beaten there.
    pub(super) fn beaten(&self, queues: &[QueueName]) {
        let mut stays = self.lock();
        for queue in queues {
            if let Some(stay) = stays.get_mut(queue) {
                stay.is_known = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str) -> QueueName {
        QueueName::new(name).unwrap()
    }

    /// Asks for tasks: whether a lease would be a beat.
    fn ask(presence: &Presence, name: &str) -> bool {
        let mut shares = [QueueShare::new(queue(name), 1)];
        presence.ask(&mut shares);
        shares[0].beat
    }

    #[test]
    fn the_first_lease_is_a_beat_and_later_ones_are_not() {
        let presence = Presence::default();
        assert!(ask(&presence, "q"));
        assert!(ask(&presence, "q"), "nothing may have been leased");
        presence.beaten(&presence.queues());
        assert!(!ask(&presence, "q"));
        assert!(ask(&presence, "other"));
    }

    #[test]
    fn it_leaves_after_some_looks_without_a_question_and_at_once_where_it_does_not_serve() {
        let presence = Presence::default();
        let served = BTreeSet::from([queue("q")]);
        ask(&presence, "q");
        presence.beaten(&presence.queues());
        // Perhaps a lease was a beat already.
        ask(&presence, "not served");
        assert_eq!(presence.turn(&served, &[]), [queue("not served")]);
        ask(&presence, "q");
        for _ in 0..STAY {
            assert!(presence.turn(&served, &[]).is_empty());
            assert_eq!(presence.queues(), [queue("q")]);
        }
        assert_eq!(presence.turn(&served, &[]), [queue("q")]);
        assert!(presence.queues().is_empty());
        assert!(ask(&presence, "q"), "it has left");
    }

    #[test]
    fn it_leaves_again_where_it_could_not_be_retired() {
        let presence = Presence::default();
        let gone = [queue("q")];
        presence.stay(&gone);
        assert_eq!(presence.turn(&BTreeSet::new(), &[]), gone);
        presence.stay(&gone);
        assert_eq!(presence.turn(&BTreeSet::new(), &[]), gone, "it is tried again");
        assert!(presence.turn(&BTreeSet::new(), &[]).is_empty());
    }

    #[test]
    fn it_stays_where_anything_is_active() {
        let presence = Presence::default();
        for _ in 0..2 * STAY {
            assert!(presence.turn(&BTreeSet::new(), &[queue("q")]).is_empty());
            presence.beaten(&presence.queues());
        }
        assert_eq!(presence.turn(&BTreeSet::new(), &[]), [queue("q")]);
    }
}
