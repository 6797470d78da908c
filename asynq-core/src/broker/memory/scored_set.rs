//! [`ScoredSet`]: a sorted set in Redis's order.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::Bound;

use crate::task::TaskId;

/// Members by ascending score; members of equal score by their bytes.
#[derive(Debug)]
pub(super) struct ScoredSet<M = TaskId> {
    order: BTreeSet<(i64, M)>,
    scores: HashMap<M, i64>,
}

impl<M> Default for ScoredSet<M> {
    fn default() -> Self {
        Self { order: BTreeSet::new(), scores: HashMap::new() }
    }
}

impl<M: Borrow<str> + Clone + Hash + Ord> ScoredSet<M> {
    /// Adds a member, or moves it to another score.
    pub(super) fn insert(&mut self, member: M, score: i64) {
        if let Some(old) = self.scores.insert(member.clone(), score) {
            self.order.remove(&(old, member.clone()));
        }
        self.order.insert((score, member));
    }

    /// Removes a member, if it is there.
    pub(super) fn remove(&mut self, member: &str) {
        if let Some((member, score)) = self.scores.remove_entry(member) {
            self.order.remove(&(score, member));
        }
    }

    /// The score of a member.
    pub(super) fn score(&self, member: &str) -> Option<i64> {
        self.scores.get(member).copied()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many members there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The lowest score.
    pub(super) fn lowest(&self) -> Option<i64> {
        self.order.first().map(|(score, _)| *score)
    }

    /// The lowest member and its score.
    pub(super) fn first(&self) -> Option<(&M, i64)> {
        self.order.first().map(|(score, member)| (member, *score))
    }

    /// The highest member and its score.
    pub(super) fn last(&self) -> Option<(&M, i64)> {
        self.order.last().map(|(score, member)| (member, *score))
    }

    /// The member with this many above it, and its score.
    pub(super) fn nth_highest(&self, above: usize) -> Option<(&M, i64)> {
        self.order.iter().rev().nth(above).map(|(score, member)| (member, *score))
    }

    /// Removes the members whose score is at most `bound`.
    pub(super) fn remove_up_to(&mut self, bound: i64) {
        while self.lowest().is_some_and(|lowest| lowest <= bound)
            && let Some((_, member)) = self.order.pop_first()
        {
            self.scores.remove(member.borrow());
        }
    }

    /// Removes the members whose score is above `bound`.
    pub(super) fn remove_above(&mut self, bound: i64) {
        while self.last().is_some_and(|(_, highest)| highest > bound)
            && let Some((_, member)) = self.order.pop_last()
        {
            self.scores.remove(member.borrow());
        }
    }

    /// All members in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&M, i64)> {
        self.order.iter().map(|(score, member)| (member, *score))
    }

    /// The members behind this place, in order; whether or not there is a member at it.
    pub(super) fn after(&self, score: i64, member: &M) -> impl Iterator<Item = (&M, i64)> {
        let place = (Bound::Excluded((score, member.clone())), Bound::Unbounded);
        self.order.range(place).map(|(score, member)| (member, *score))
    }

    /// The lowest `limit` members whose score is at most `bound`; copies, so that the set can be changed meanwhile.
    pub(super) fn up_to(&self, bound: i64, limit: usize) -> Vec<(M, i64)> {
        self.iter()
            .take_while(|(_, score)| *score <= bound)
            .take(limit)
            .map(|(member, score)| (member.clone(), score))
            .collect()
    }
}

impl ScoredSet {
    /// The members of this score and above, in order.
    pub(super) fn from(&self, score: i64) -> impl Iterator<Item = (&TaskId, i64)> {
        self.order.range((score, TaskId::stored(""))..).map(|(score, member)| (member, *score))
    }
}
