//! [`Ticker`]: enqueues the ticks of one entry, each when it is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::due::due;
use super::entry::Entry;
use super::hooks::{Firing, Hooks};
use crate::background::Backoff;
use crate::broker::{BrokerError, Tick};
use crate::client::Client;
use crate::clock::from_unix_seconds;
use crate::error::Error;
use crate::task::{Task, TaskInfo, TaskOptions};
use crate::wire::{SchedulerEnqueueEvent, TICK_HEADER, WireTimestamp};

/// The longest sleep: after that the clock on the wall is looked at again, for somebody may have set it.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

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
        if let Some(settled) = self.begin().await {
            self.tick_on(settled).await;
        }
        self.ended().await;
    }

    /// Enqueues what is due by now, without waiting: the second of the next tick. For those who move the time themselves.
    pub(super) async fn step(&self) -> Result<Option<i64>, BrokerError> {
        let begun = self.entry.progress().settled;
        let Some(mut settled) = (match begun {
            Some(settled) => Some(settled),
            None => self.begin().await,
        }) else {
            return Ok(None);
        };
        for tick in due(&self.entry.schedule, settled, self.now(), self.entry.catch_up) {
            self.fire(tick, true).await?;
            settled = tick;
            self.entry.progress().last = Some(tick);
        }
        self.entry.progress().settled = Some(settled);
        Ok(self.entry.schedule.next_tick(settled))
    }

    /// Up to which second all ticks are dealt with, as soon as the store answers: before that there is nothing to be done
    /// anyway. `None` when told to end meanwhile.
    async fn begin(&self) -> Option<i64> {
        let mut backoff = Backoff::new("scheduler entry");
        let since = self.now();
        // A clock that is ahead of ours may have written it.
        let counts_from = self.entry.counts_from.map(|from| from.min(since));
        loop {
            let (queue, entry) = (&self.entry.queue, self.entry.id.as_str());
            match self.client.broker().tick_mark(queue, entry, counts_from.unwrap_or(since)).await {
                Ok(mark) => {
                    let is_tick = self.entry.schedule.next_tick(mark.saturating_sub(1)) == Some(mark);
                    self.entry.progress().last = is_tick.then_some(mark);
                    let mark = counts_from.map_or(mark, |from| mark.max(from));
                    return Some(self.entry.catch_up.begin(mark, since));
                }
                Err(error) if self.sleep(backoff.failed(&error)).await => {}
                Err(_) => return None,
            }
        }
    }

    /// Enqueues each tick when it is due.
    async fn tick_on(&self, mut settled: i64) {
        let mut backoff = Backoff::new("scheduler entry");
        // The tick that is being tried, and how it has failed so far.
        let mut failing: Option<(i64, BrokerError)> = None;
        loop {
            self.entry.progress().settled = Some(settled);
            if !self.until_due(settled).await {
                return;
            }
            let mut ticks = due(&self.entry.schedule, settled, self.now(), self.entry.catch_up);
            while let Some(tick) = ticks.pop_front() {
                if self.end.token.is_cancelled() {
                    return;
                }
                // A tick that has failed until the next one was due gives way to it.
                if let Some((failed, error)) = failing.take_if(|(failed, _)| tick > *failed) {
                    let entry = &self.entry.id;
                    tracing::error!(%entry, tick = failed, "a tick could not be enqueued in its time");
                    self.hooks.after(&self.firing(failed, &self.task(failed)), Err(&error.into()));
                }
                match self.fire(tick, failing.is_none()).await {
                    Ok(()) => {
                        backoff.worked();
                        failing = None;
                        settled = tick;
                        self.entry.progress().last = Some(tick);
                    }
                    Err(error) => {
                        let wait = backoff.failed(&error);
                        failing = Some((tick, error));
                        if !self.sleep(wait).await {
                            return;
                        }
                        // Others may be due by now.
                        break;
                    }
                }
            }
        }
    }

    /// Enqueues the task of a tick. An error is for the store's failures: the tick is to be tried again.
    async fn fire(&self, tick: i64, is_first_try: bool) -> Result<(), BrokerError> {
        let entry = &self.entry.id;
        let task = self.task(tick);
        let firing = self.firing(tick, &task);
        if is_first_try {
            self.hooks.before(&firing);
        }
        let at = Tick { entry: entry.as_str().to_owned(), at: tick };
        match self.client.enqueue_tick(task.clone(), &at).await {
            Ok(Some(info)) => {
                tracing::debug!(%entry, tick, task = %info.id, "a tick is enqueued");
                self.record(&info, tick).await;
                self.hooks.after(&firing, Ok(&info));
            }
            // Another scheduler was faster, or an earlier try got through although its answer was lost.
            Ok(None) => tracing::trace!(%entry, tick, "a tick has passed"),
            Err(Error::Broker(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(%entry, tick, %error, "the task of a tick is refused");
                self.hooks.after(&firing, Err(&error));
            }
        }
        Ok(())
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

    /// Waits until a tick after `settled` is due; `false` when told to end meanwhile.
    async fn until_due(&self, settled: i64) -> bool {
        let next = self.entry.schedule.next_tick(settled).map(from_unix_seconds);
        loop {
            let left = next.map(|next| next.duration_since(self.client.broker().clock().now()));
            let left = match left.map(Duration::try_from) {
                Some(Ok(left)) if !left.is_zero() => left.min(LONGEST_SLEEP),
                Some(_) => return true,
                // It never fires again, as far as can be seen today.
                None => LONGEST_SLEEP,
            };
            if !self.sleep(left).await {
                return false;
            }
        }
    }

    /// `false` when told to end meanwhile.
    async fn sleep(&self, time: Duration) -> bool {
        self.end.token.run_until_cancelled(tokio::time::sleep(time)).await.is_some()
    }
}
