//! [`Recoverer`]: finds the tasks of dead workers and brings them back.
//!
//! A server beats where it may hold tasks (see [`Presence`]): it writes its clock into a sorted set of the queue every two
//! seconds, and looks at those of the others while anything is active there. A server is *gone* when
//! others have seen no new beat of it for a while, with the broker answering throughout; what they compare is the
//! value before and after, never their clock with somebody else's. Its tasks go back to the front of the queue without
//! using up a retry, and one that its workers die of again and again is archived.
//!
//! Go workers do not beat. Theirs are recovered by Go's rule, when the lease has run out, with one condition more: that
//! it has stood unchanged while a living worker would have extended it, so that a clock that is behind does no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Queues;
use super::hooks::{Ended, Fate, taken, unreadable_task};
use super::presence::Presence;
use super::running::{Key, Running};
use super::settle::{Rules, error_text};
use crate::background::Backoff;
use crate::broker::{
    ActiveTask, Broker, BrokerError, Demand, LEASE, Place, Settled, Settlement, StoredMessage, Transition,
};
use crate::router::BoxError;
use crate::task::QueueName;
use crate::wire::TaskMessage;

/// Time between beats, and between looks.
pub(super) const INTERVAL: Duration = Duration::from_secs(2);

/// A server without a new beat for this long is gone: nearly three beats missed.
const GONE_AFTER: Duration = Duration::from_millis(5_500);

/// A lease that has run out must have stood unchanged for this long: Go extends every five seconds.
const LEASE_STILL: Duration = Duration::from_secs(7);

/// How long before its end a lease is watched.
const WATCH_AHEAD: i64 = 10;

/// Leases of Go workers that ran out so long ago are taken as they are: Go's own rule for clocks that differ.
const LONG_EXPIRED: i64 = 30;

/// Looks between searches for active tasks without a lease.
const LOOKS_PER_MEND: u32 = 5;

/// Looks between searches for dead servers that held nothing, and only leave their names.
const LOOKS_PER_SWEEP: u32 = 10;

/// Active tasks looked at in one call.
const CHUNK: usize = 500;

/// The worker that ran a task stopped extending its lease. The text is Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("asynq: task lease expired")]
pub struct LeaseExpired;

/// The server that ran a task is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the worker died that ran the task")]
pub struct WorkerDied;

/// Beats, watches others, and recovers what the dead held, until told to stop.
pub(super) struct Recoverer {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) running: Running,
    pub(super) rules: Rules,
    pub(super) server_id: String,
    pub(super) queues: Queues,
    pub(super) presence: Presence,
    pub(super) max_crashes: u32,
}

/// What was seen, and since when it has been the same. Kept only while the broker answers: after an outage nobody has
/// beaten, though everybody lives.
#[derive(Default)]
pub(super) struct Seen {
    last_look: Option<Instant>,
    looks: u32,
    beats: BTreeMap<(QueueName, String), Still>,
    leases: BTreeMap<Key, Still>,
}

#[derive(Clone, Copy)]
struct Still {
    value: i64,
    since: Instant,
}

impl Seen {
    /// Whether no other server that beats in this queue stands before this one. Of what looks at every active task, one
    /// server is enough: for all of many it would cost by the square of their number.
    fn is_first(&self, queue: &QueueName, server_id: &str) -> bool {
        let of_queue = |name: &str| (queue.clone(), name.to_owned());
        self.beats.range(of_queue("")..of_queue(server_id)).next().is_none()
    }
}

impl Recoverer {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new("recoverer");
        let mut seen = Seen::default();
        let mut delay = Duration::ZERO;
        while stop.run_until_cancelled(sleep(delay)).await.is_some() {
            delay = match self.look(&mut seen, Instant::now()).await {
                Ok(()) => {
                    backoff.worked();
                    INTERVAL
                }
                Err(error) => {
                    seen = Seen::default();
                    backoff.failed(&error)
                }
            };
        }
        if let Err(error) = self.broker.retire(&[&self.server_id], &self.presence.queues()).await {
            tracing::debug!(%error, "others will see that this server is gone");
        }
    }

    /// One look, at `now`: beats, and brings back what the dead held.
    pub(super) async fn look(&self, seen: &mut Seen, now: Instant) -> Result<(), BrokerError> {
        // Between two looks far apart this process stood still; so may the others have, on the same machine.
        if seen.last_look.is_some_and(|last| now.duration_since(last) > 2 * INTERVAL) {
            *seen = Seen::default();
        }
        let served: BTreeSet<QueueName> =
            self.queues.names().into_iter().chain(self.running.queues()).collect();
        let watched: Vec<QueueName> = served.iter().cloned().collect();
        let active = self.broker.occupied(Place::Active, &watched).await?;
        let left = self.presence.turn(&served, &active);
        if let Err(error) = self.broker.retire(&[&self.server_id], &left).await {
            self.presence.stay(&left);
            return Err(error);
        }
        let queues = self.presence.queues();
        self.broker.beat(&self.server_id, &queues).await?;
        self.presence.beaten(&queues);
        seen.last_look = Some(now);
        self.recover_gone(seen, &watched, &active, now).await?;

        let mend = seen.looks.is_multiple_of(LOOKS_PER_MEND);
        seen.looks = seen.looks.wrapping_add(1);
        let mut leases = BTreeMap::new();
        for queue in &active {
            if mend && seen.is_first(queue, &self.server_id) {
                self.mend(queue).await?;
            }
            self.recover_expired(queue, seen, &mut leases, now).await?;
        }
        seen.leases = leases;
        Ok(())
    }

    /// Looks at the beats of others where anything is active, and now and then everywhere; brings back what those held
    /// that are gone.
    async fn recover_gone(
        &self,
        seen: &mut Seen,
        watched: &[QueueName],
        active: &[QueueName],
        now: Instant,
    ) -> Result<(), BrokerError> {
        let is_sweep = seen.looks.is_multiple_of(LOOKS_PER_SWEEP);
        let named = if is_sweep { self.broker.occupied(Place::Servers, watched).await? } else { Vec::new() };
        let looked_at = if is_sweep { &named } else { active };
        let beats = self.broker.beats(looked_at).await?;
        let before = std::mem::take(&mut seen.beats);
        let mut gone = Vec::new();
        for (queue, beats) in looked_at.iter().zip(beats) {
            for beat in beats.into_iter().filter(|beat| beat.server_id != self.server_id) {
                let key = (queue.clone(), beat.server_id);
                let still = still(before.get(&key), beat.at, now);
                if now.duration_since(still.since) < GONE_AFTER {
                    seen.beats.insert(key, still);
                } else {
                    gone.push((key, still.value));
                }
            }
        }
        if !is_sweep {
            // What was seen in other queues is kept: a beat since then will have changed it.
            let is_kept = |queue: &QueueName| watched.contains(queue) && !looked_at.contains(queue);
            seen.beats.extend(before.into_iter().filter(|((queue, _), _)| is_kept(queue)));
        }
        for ((queue, server), last_beat) in gone {
            self.recover_server(&queue, &server, last_beat).await?;
        }
        Ok(())
    }

    /// Brings back every task that a dead server held in this queue.
    async fn recover_server(
        &self,
        queue: &QueueName,
        server: &str,
        last_beat: i64,
    ) -> Result<(), BrokerError> {
        // No lease of that server can end later. One that does is a Go worker's, which leaves the old owner's name.
        let latest = last_beat + (LEASE + 3 * INTERVAL).as_secs().cast_signed();
        let mut offset = 0;
        let mut recovered = 0;
        loop {
            let (tasks, looked_at) = self.broker.owned_by(queue, server, offset, CHUNK).await?;
            let recoveries = tasks.into_iter().filter(|task| task.lease_until <= latest);
            let applied = self.settle(recoveries.map(|task| self.crashed(queue, task)).collect()).await?;
            recovered += applied;
            if looked_at < CHUNK {
                break;
            }
            offset += looked_at - applied;
        }
        self.broker.retire(&[server], std::slice::from_ref(queue)).await?;
        if recovered > 0 {
            tracing::warn!(server, %queue, tasks = recovered, "server is gone; its tasks were put back");
        }
        Ok(())
    }

    /// Brings back tasks whose lease has run out; notes those whose lease soon will.
    async fn recover_expired(
        &self,
        queue: &QueueName,
        seen: &Seen,
        watched: &mut BTreeMap<Key, Still>,
        now: Instant,
    ) -> Result<(), BrokerError> {
        let seconds = self.broker.clock().unix_seconds();
        let tasks = self.broker.expiring_leases(queue, seconds + WATCH_AHEAD, CHUNK).await?;
        let mut recoveries = Vec::new();
        for task in tasks {
            let key = (queue.clone(), task.id.clone());
            if self.running.holds(queue, &task.id) {
                continue;
            }
            let still = still(seen.leases.get(&key), task.lease_until, now);
            let is_over = task.lease_until <= seconds && now.duration_since(still.since) >= LEASE_STILL;
            // A server of ours may have been cut off as we were, and is about to extend it.
            let is_long_over = task.owner.is_none() && task.lease_until <= seconds - LONG_EXPIRED;
            if is_over || is_long_over && task.lease_until > 0 {
                recoveries.push(self.expired(queue, task, seen));
            } else {
                watched.insert(key, still);
            }
        }
        let recovered = self.settle(recoveries).await?;
        if recovered > 0 {
            tracing::warn!(%queue, tasks = recovered, "leases ran out; their tasks were recovered");
        }
        Ok(())
    }

    async fn mend(&self, queue: &QueueName) -> Result<(), BrokerError> {
        let mut offset = 0;
        loop {
            let (mended, looked_at) = self.broker.mend_active(queue, offset, CHUNK).await?;
            if mended > 0 {
                tracing::warn!(%queue, tasks = mended, "mended active tasks without a lease or without a task");
            }
            if looked_at < CHUNK {
                return Ok(());
            }
            offset += looked_at;
        }
    }

    /// Settles what was recovered, and tells the hooks of what nobody else had settled before: how many.
    async fn settle(&self, recoveries: Vec<Recovery>) -> Result<usize, BrokerError> {
        let mut applied = 0;
        let mut recoveries = recoveries.into_iter().peekable();
        while recoveries.peek().is_some() {
            let (settlements, runs): (Vec<_>, Vec<_>) =
                recoveries.by_ref().take(100).map(|recovery| (recovery.settlement, recovery.run)).unzip();
            let exchanged = self.broker.exchange(&settlements, &Demand::none()).await?;
            let outcomes = settlements.iter().zip(&runs).zip(exchanged.settled);
            for ((settlement, run), _) in outcomes.filter(|(_, settled)| *settled == Settled::Applied) {
                applied += 1;
                self.rules.hooks.tell(|| Ended {
                    task: match &run.message {
                        Ok(message) => taken(message),
                        Err(_) => unreadable_task(&settlement.queue, &settlement.id),
                    },
                    error: Some(&*run.error),
                    fate: Fate::of(&settlement.transition),
                    took: None,
                });
            }
        }
        Ok(applied)
    }

    /// A task whose worker died: put back without using up a retry, unless its workers keep dying of it.
    fn crashed(&self, queue: &QueueName, task: ActiveTask) -> Recovery {
        let crashes = task.crashes.saturating_add(1);
        let transition = if crashes >= self.max_crashes {
            let poisoned = |message| {
                self.failed(message, format!("poison pill: {crashes} workers died while they ran this task"))
            };
            self.rules.archive(task.message.as_ref().ok().map(poisoned))
        } else {
            Transition::Requeue { crashed: true }
        };
        recovery(queue, task, transition, WorkerDied)
    }

    /// A task whose lease ran out: a crash if one of our servers held it, a failed attempt by Go's rule otherwise.
    fn expired(&self, queue: &QueueName, task: ActiveTask, seen: &Seen) -> Recovery {
        if let Some(owner) = &task.owner {
            // An owner that beats lives: it lost this task by other means, such as an answer that never arrived.
            let lives = *owner == self.server_id || seen.beats.contains_key(&(queue.clone(), owner.clone()));
            if lives {
                return recovery(queue, task, Transition::Requeue { crashed: false }, LeaseExpired);
            }
            return self.crashed(queue, task);
        }
        let now = self.broker.clock().now();
        let transition = match &task.message {
            Ok(message) => self.rules.transition(message, &Err(BoxError::from(LeaseExpired)), now),
            Err(unreadable) => {
                tracing::error!(
                    task_id = %task.id, %queue, error = %error_text(&unreadable.error),
                    "stored message cannot be read; moved to the archive as it is"
                );
                self.rules.archive(None)
            }
        };
        recovery(queue, task, transition, LeaseExpired)
    }

    fn failed(&self, message: &TaskMessage, error_msg: String) -> TaskMessage {
        TaskMessage { error_msg, last_failed_at: self.broker.clock().unix_seconds(), ..message.clone() }
    }
}

/// A run that nobody will end any more, and where its task goes.
struct Recovery {
    settlement: Settlement,
    run: Deserted,
}

/// What hooks are told of it.
struct Deserted {
    message: StoredMessage,
    error: BoxError,
}

/// What a value is now, and since when: since before if it is the same.
fn still(before: Option<&Still>, value: i64, now: Instant) -> Still {
    match before {
        Some(before) if before.value == value => *before,
        _ => Still { value, since: now },
    }
}

fn recovery(
    queue: &QueueName,
    task: ActiveTask,
    transition: Transition,
    error: impl Into<BoxError>,
) -> Recovery {
    let ActiveTask { id, lease_until, run, message, .. } = task;
    Recovery {
        settlement: Settlement { queue: queue.clone(), id, run, lease_until, transition },
        run: Deserted { message, error: error.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_the_servers_of_a_queue_one_is_the_first() {
        let queue = |name: &str| QueueName::new(name).unwrap();
        let mut seen = Seen::default();
        assert!(seen.is_first(&queue("q"), "b"));
        for (name, server) in [("q", "c"), ("p", "a"), ("r", "a")] {
            seen.beats.insert((queue(name), server.to_owned()), still(None, 1, Instant::now()));
        }
        assert!(seen.is_first(&queue("q"), "b"));
        assert!(!seen.is_first(&queue("q"), "d"));
        assert!(!seen.is_first(&queue("p"), "b"));
    }
}
