//! [`Ticker`]: enqueues the ticks of one entry, each when it is due.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::due::due;
use super::entry::Entry;
use super::hooks::{Firing, Hooks};
use crate::background::Backoff;
use crate::broker::Tick;
use crate::client::Client;
use crate::clock::{floor_seconds, from_unix_seconds};
use crate::error::{Error, Result};
use crate::task::{Task, TaskInfo, TaskOptions};
use crate::wire::{SchedulerEnqueueEvent, TICK_HEADER, WireTimestamp};

/// The longest sleep: after that the clock on the wall is looked at again, for somebody may have set it.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How long the history of an entry is kept after its last event, beside the time to its next tick.
const HISTORY_AGE: i64 = 90 * 24 * 3600;

/// Enqueues the ticks of one entry.
pub(super) struct Ticker {
    pub(super) client: Client,
    pub(super) entry: Arc<Entry>,
    pub(super) hooks: Hooks,
    pub(super) end: End,
}

/// How a ticker is told to end.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    pub(super) token: CancellationToken,
    /// Whether the entry is gone, and its history with it.
    forget: Arc<AtomicBool>,
}

impl End {
    /// The entry stays what it is, for other schedulers and the next start.
    pub(super) fn child_of(token: &CancellationToken) -> Self {
        Self { token: token.child_token(), forget: Arc::default() }
    }

    /// The entry is gone.
    pub(super) fn forget(&self) {
        self.forget.store(true, Ordering::Relaxed);
        self.token.cancel();
    }
}

impl Ticker {
    /// Runs until told to end; a call to the broker is never cut short.
    pub(super) async fn run(self) {
        let end = self.end.token.clone();
        let mut backoff = Backoff::new("scheduler entry");
        let since = self.now();
        // Before the store answers there is nothing to be done anyway.
        let settled = loop {
            match self.client.broker().tick_mark(&self.entry.queue, self.entry.id.as_str(), since).await {
                Ok(mark) => {
                    let is_tick = self.entry.schedule.next_tick(mark.saturating_sub(1)) == Some(mark);
                    self.entry.progress().last = is_tick.then_some(mark);
                    break self.entry.catch_up.begin(mark, since);
                }
                Err(error) => {
                    if !self.sleep(backoff.failed(&error)).await {
                        return self.ended().await;
                    }
                }
            }
        };
        self.entry.progress().settled = Some(settled);
        let mut settled = settled;
        // The tick that was begun, and how it has failed so far.
        let mut begun: Option<(i64, Error)> = None;
        let mut ticks = VecDeque::new();
        while !end.is_cancelled() {
            if ticks.is_empty() || begun.is_some() {
                ticks = due(&self.entry.schedule, settled, self.now(), self.entry.catch_up);
            }
            let tick = ticks.front().copied();
            // A tick that has failed until the next one was due gives way to it.
            if let Some((failed, error)) =
                begun.take_if(|(failed, _)| tick.is_some_and(|tick| tick > *failed))
            {
                tracing::error!(entry = %self.entry.id, tick = failed, "a tick could not be enqueued in its time");
                self.hooks.after(&self.firing(failed, &self.task(failed)), Err(&error));
            }
            let Some(tick) = tick else {
                if !self.sleep(self.until_next(settled)).await {
                    break;
                }
                continue;
            };
            let task = self.task(tick);
            let firing = self.firing(tick, &task);
            if begun.is_none() {
                self.hooks.before(&firing);
            }
            match self.enqueue(tick, task.clone()).await {
                Err(Error::Broker(error)) => {
                    let wait = backoff.failed(&error);
                    begun = Some((tick, Error::Broker(error)));
                    if !self.sleep(wait).await {
                        break;
                    }
                    continue;
                }
                Ok(Some(info)) => {
                    tracing::debug!(entry = %self.entry.id, tick, task = %info.id, "a tick is enqueued");
                    self.record(&info, tick).await;
                    self.hooks.after(&firing, Ok(&info));
                }
                // Another scheduler was faster, or an earlier try got through although its answer was lost.
                Ok(None) => tracing::trace!(entry = %self.entry.id, tick, "a tick has passed"),
                Err(error) => {
                    tracing::warn!(entry = %self.entry.id, tick, %error, "the task of a tick is refused");
                    self.hooks.after(&firing, Err(&error));
                }
            }
            backoff.worked();
            begun = None;
            settled = tick;
            ticks.pop_front();
            let mut progress = self.entry.progress();
            progress.settled = Some(tick);
            progress.last = Some(tick);
        }
        self.ended().await;
    }

    /// The task of a tick: the entry's, with the tick's time in a header, and an ID made from both.
    fn task(&self, tick: i64) -> Task {
        let task = self.entry.task.clone();
        let options = TaskOptions::new().header(TICK_HEADER, from_unix_seconds(tick).to_string());
        let options = match &task.options.task_id {
            Some(_) => options,
            None => options.task_id(self.entry.id.task_id(tick)),
        };
        task.options(options)
    }

    fn firing<'a>(&'a self, tick: i64, task: &'a Task) -> Firing<'a> {
        Firing { entry: &self.entry.id, scheduled_for: from_unix_seconds(tick), task }
    }

    async fn enqueue(&self, tick: i64, task: Task) -> Result<Option<TaskInfo>> {
        let tick = Tick { entry: self.entry.id.as_str().to_owned(), at: tick };
        self.client.enqueue_tick(task, &tick).await
    }

    /// Notes in the history what was enqueued.
    async fn record(&self, info: &TaskInfo, tick: i64) {
        let event = SchedulerEnqueueEvent {
            task_id: info.id.as_str().to_owned(),
            enqueue_time: Some(WireTimestamp::from(self.client.broker().clock().now())),
            ..SchedulerEnqueueEvent::default()
        };
        let pause = self.entry.schedule.next_tick(tick).map_or(0, |next| next - tick);
        let keep = Duration::from_secs(HISTORY_AGE.saturating_add(pause).unsigned_abs());
        let recorded = self.client.broker().record_enqueue_event(self.entry.id.as_str(), &event, keep).await;
        if let Err(error) = recorded {
            tracing::warn!(entry = %self.entry.id, tick, %error, "the history misses an event");
        }
    }

    async fn ended(self) {
        if self.end.forget.load(Ordering::Relaxed)
            && let Err(error) = self.client.broker().clear_scheduler_history(self.entry.id.as_str()).await
        {
            tracing::debug!(entry = %self.entry.id, %error, "an entry's history stays until it expires");
        }
    }

    fn now(&self) -> i64 {
        self.client.broker().clock().unix_seconds()
    }

    fn until_next(&self, settled: i64) -> Duration {
        let now: Timestamp = self.client.broker().clock().now();
        let Some(next) = self.entry.schedule.next_tick(settled.max(floor_seconds(now))) else {
            return LONGEST_SLEEP;
        };
        Duration::try_from(from_unix_seconds(next).duration_since(now)).unwrap_or_default().min(LONGEST_SLEEP)
    }

    /// `false` when told to end meanwhile.
    async fn sleep(&self, time: Duration) -> bool {
        self.end.token.run_until_cancelled(tokio::time::sleep(time)).await.is_some()
    }
}
