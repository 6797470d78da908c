//! [`Client::enqueue_all`]: many tasks, some of which are made while others are on their way.

use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesOrdered, StreamExt as _};
use jiff::Timestamp;
use tokio::task::yield_now;
use tracing::Span;

use super::client::outcome;
use super::plan::Plan;
use super::{Client, Enqueued};
use crate::broker::NewTask;
use crate::error::Result;
use crate::job::IntoTask;
use crate::task::{RandomIds, TaskInfo};

/// How many tasks a call carries at most.
const CHUNK: usize = 32;
/// How many calls are on their way at one time.
const CALLS: usize = 8;

/// Tasks that are ready to be sent, and what their callers are told of each that is stored.
pub(super) struct Chunk {
    pub(super) news: Vec<NewTask>,
    planned: Vec<Result<(TaskInfo, Span)>>,
}

impl Client {
    /// Enqueues many tasks: one result for each, in order. A task that is refused does not keep others from
    /// being stored. They travel up to 32 to a call, and are made while up to 8 calls before them are on their way.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, any number of the tasks may be stored.
    pub async fn enqueue_all<T: IntoTask>(
        &self,
        tasks: impl IntoIterator<Item = T>,
    ) -> Vec<Result<Enqueued<T>>> {
        let now = self.broker().clock().now();
        let mut tasks = tasks.into_iter();
        let (least, most) = tasks.size_hint();
        let per_call = per_call(most.filter(|most| *most == least));
        let mut results = Vec::with_capacity(least);
        let mut calls = FuturesOrdered::new();
        loop {
            let chunk = self.chunk(tasks.by_ref().take(per_call), now);
            let is_last = chunk.planned.is_empty();
            if !is_last {
                calls.push_back(self.store(chunk));
            }
            // The latest call is sent when it is polled first, which happens here.
            while let Some(ended) = if is_last || calls.len() >= self.most_calls() {
                calls.next().await
            } else {
                calls.next().now_or_never().flatten()
            } {
                results.extend(ended.into_iter().map(|result| result.map(Enqueued::new)));
            }
            if is_last {
                return results;
            }
            // Now it leaves, while the next is made.
            yield_now().await;
        }
    }

    /// These tasks.
    pub(super) fn chunk<T: IntoTask>(&self, tasks: impl Iterator<Item = T>, now: Timestamp) -> Chunk {
        let most = tasks.size_hint().1.unwrap_or(CHUNK);
        let mut news = Vec::with_capacity(most);
        let mut ids = RandomIds::many(most);
        let planned = tasks.map(|task| {
            let Plan { new, info, span } = self.plan_with(task, now, &mut ids)?;
            news.push(new);
            Ok((info, span))
        });
        Chunk { planned: planned.collect(), news }
    }

    /// Stores the tasks of a chunk.
    async fn store(&self, Chunk { news, planned }: Chunk) -> Vec<Result<TaskInfo>> {
        let stored = self.broker().enqueue(&news).await;
        if stored.iter().any(Result::is_ok) {
            self.has_stored.store(true, Ordering::Relaxed);
        }
        let mut stored = stored.into_iter();
        let told = planned.into_iter().map(|planned| {
            let (info, span) = planned?;
            self.traced(&span, outcome(info, stored.next()))
        });
        told.collect()
    }

    /// How many calls may be on their way: one until a store has taken something, for a Redis that does not know our
    /// script yet asks for it, and would run the second call before the first.
    fn most_calls(&self) -> usize {
        if self.has_stored.load(Ordering::Relaxed) { CALLS } else { 1 }
    }
}

/// How many tasks each call carries, if it is known how many there are: no call is left with a few only, which cost the
/// broker as much as many.
fn per_call(tasks: Option<usize>) -> usize {
    let Some(tasks) = tasks else { return CHUNK };
    tasks.div_ceil(tasks.div_ceil(CHUNK).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_spread_evenly_over_as_few_calls_as_there_can_be() {
        for (tasks, expected) in [(0, 1), (1, 1), (32, 32), (33, 17), (100, 25), (1_000, 32)] {
            assert_eq!(per_call(Some(tasks)), expected, "{tasks}");
        }
        assert_eq!(per_call(None), CHUNK);
    }
}
