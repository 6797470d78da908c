//! [`Limiters`]: what runs, ran and waits under the limits over all servers. [`Admission`] in this process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::broker::MemoryBroker;
use super::scored_set::ScoredSet;
use super::store::{Expiring, Moment};
use crate::broker::{Admission, Broker, BrokerError, LINE_PATIENCE, Token, Turn};
use crate::task::TaskId;

/// A wait as long as this costs the place in line; shorter ones are a matter of clocks.
const SECOND: i64 = 1_000_000;

/// What runs, ran and waits under limits, by key.
#[derive(Debug, Default)]
pub(super) struct Limiters {
    /// IDs by the second in which their tokens expire.
    pub(super) semaphores: HashMap<String, ScoredSet<Arc<str>>>,
    /// Runs of the last period, by microsecond.
    pub(super) ran: HashMap<String, Expiring<ScoredSet<Arc<str>>>>,
    /// IDs that wait, by the microsecond of their turn.
    pub(super) lines: HashMap<String, Expiring<ScoredSet<Arc<str>>>>,
}

impl Limiters {
    fn acquire(&mut self, key: String, token: &Token<'_>, now: Moment) -> bool {
        let held = self.semaphores.entry(key).or_default();
        held.remove_up_to(now.seconds - 1);
        if held.len() >= at_least_one(token.most) && held.score(token.id.as_str()).is_none() {
            return false;
        }
        held.insert(Arc::from(token.id.as_str()), token.until);
        true
    }

    /// Microseconds to wait, as `take_turn.lua` has it.
    fn take_turn(&mut self, keys: [String; 2], turn: &Turn<'_>, moment: Moment) -> i64 {
        let [ran_key, line_key] = keys;
        self.drop_expired(moment);
        let (patience, period, most) = (micros(LINE_PATIENCE), micros(turn.period), at_least_one(turn.most));
        let now = moment.nanos.div_euclid(1_000);
        let horizon = now.saturating_add(patience);
        let id = turn.id.as_str();
        let ran = self.ran.entry(ran_key).or_insert_with(never);
        let line = self.lines.entry(line_key).or_insert_with(never);

        ran.value.remove_above(horizon);
        let now = ran.value.last().map_or(now, |(_, newest)| newest.max(now));
        ran.value.remove_up_to(now.saturating_sub(period));
        line.value.remove_up_to(now.saturating_sub(patience));
        let own_turn = line.value.score(id);

        let wait_behind = |ahead: usize| {
            let run = ran.value.nth_highest(most - 1 - ahead);
            run.map_or(0, |(_, at)| at.saturating_add(period) - now)
        };
        let mut wait = own_turn.map_or(0, |_| wait_behind(0));
        let early = own_turn.map_or(0, |turn| turn - now);
        if wait >= SECOND && early >= SECOND {
            wait = early;
        } else if wait >= SECOND || own_turn.is_none() {
            let ahead = line.value.len() - usize::from(own_turn.is_some());
            let periods = i64::try_from(ahead / most).unwrap_or(i64::MAX);
            wait = wait_behind(ahead % most).saturating_add(periods.saturating_mul(period));
        }
        if wait > 0 {
            line.value.insert(Arc::from(id), now.saturating_add(wait));
            let last = line.value.last().map_or(now, |(_, at)| at);
            line.expires_at = after(moment, (last - now).saturating_add(patience));
        } else {
            ran.value.insert(Arc::from(turn.run), now);
            ran.expires_at = after(moment, period.saturating_add(patience));
            line.value.remove(id);
        }
        wait
    }

    /// Forgets what has expired, and what is empty.
    pub(super) fn drop_expired(&mut self, now: Moment) {
        self.semaphores.retain(|_, held| !held.is_empty());
        for sets in [&mut self.ran, &mut self.lines] {
            sets.retain(|_, set| set.is_alive(now) && !set.value.is_empty());
        }
    }
}

#[async_trait]
impl Admission for MemoryBroker {
    async fn take_turn(&self, turn: &Turn<'_>) -> Result<Option<Duration>, BrokerError> {
        let keys = [self.keyspace().rate_runs(turn.scope), self.keyspace().rate_line(turn.scope)];
        let wait = self.shared().lock().limiters.take_turn(keys, turn, self.now());
        Ok(u64::try_from(wait).ok().filter(|wait| *wait > 0).map(Duration::from_micros))
    }

    async fn acquire_token(&self, token: &Token<'_>) -> Result<bool, BrokerError> {
        let key = self.keyspace().semaphore(token.scope);
        Ok(self.shared().lock().limiters.acquire(key, token, self.now()))
    }

    async fn release_token(&self, scope: &str, id: &TaskId) -> Result<bool, BrokerError> {
        let key = self.keyspace().semaphore(scope);
        let mut store = self.shared().lock();
        let Some(held) = store.limiters.semaphores.get_mut(&key) else { return Ok(false) };
        let had_one = held.score(id.as_str()).is_some();
        held.remove(id.as_str());
        Ok(had_one)
    }
}

fn never() -> Expiring<ScoredSet<Arc<str>>> {
    Expiring { value: ScoredSet::default(), expires_at: i64::MAX }
}

/// The Unix nanosecond that is this many microseconds later, in whole milliseconds as Redis counts.
fn after(now: Moment, micros: i64) -> i64 {
    let millis = micros.saturating_add(999).div_euclid(1_000);
    now.nanos.saturating_add(millis.saturating_mul(1_000_000))
}

fn at_least_one(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX).max(1)
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}
