//! [`Processor`]: exchange → run → settle, over and over.
//!
//! ```text
//!            ┌──────────── slots free and maybe work, or something to settle ───────────┐
//!            ▼                                                                          │
//!        exchange ── leased ──► spawn handlers ──► (handlers end) ──► settlements ──────┤
//!            │                                                                          │
//!            └─ nothing to do ──► wait for: control, a handler's end, work ─────────────┘
//! ```
//!
//! `select!` only chooses what to look at next. A broker call that is dropped may have leased tasks already, so calls
//! live in the processor, not in the `select!`, and each is awaited to its end. Settlements that gather while a call is
//! in flight ride on the next one. How many calls are in flight, and how much each carries, is [`Pacing`]'s to say.
//! What was leased ahead of a free slot waits in the processor for one, for a second at most.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::attempt::{DeadlineExceeded, attempt};
use super::hooks::{Ended, Fate, taken, unreadable_task};
use super::limits::{Ask, Limits};
use super::observers::run_outcome;
use super::pacing::{Pacing, Sent};
use super::presence::Presence;
use super::queues::Served;
use super::running::{Held, Key, Phase, Running, held_by};
use super::serving::Serving;
use super::settle::{Rules, error_text};
use crate::background::Backoff;
use crate::broker::{
    Broker, BrokerError, Demand, Exchanged, Leased, RunToken, Settled, Settlement, Transition,
};
use crate::client::Client;
use crate::clock::from_unix_seconds;
use crate::router::{
    Cancelled, Ctx, CtxParts, Handler, HandlerNotFound, HandlerResult, Router, StateMap, Verdict, has_cause,
};
use crate::task::{DEFAULT_TIMEOUT, QueueName};
use crate::telemetry::{Run, RunOutcome, Traced};
use crate::wire::TaskMessage;

/// Most settlements in one call.
const MAX_SETTLED: usize = 512;

/// How long handlers have to notice that they are dropped, once the grace period is over.
const ABORT_GRACE: Duration = Duration::from_millis(500);

/// How long the last settlements may take.
const LAST_CALLS: Duration = Duration::from_secs(3);

/// What the processor is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Control {
    /// Take tasks and run them.
    Fetch,
    /// Take no more; finish what runs.
    Stop,
    /// Take no more; put back what still runs at this time, and end.
    Drain(Instant),
}

/// Takes tasks from the broker and runs them.
pub(super) struct Processor {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) router: Arc<Router>,
    /// The router inside the server's middleware.
    pub(super) handler: Handler,
    pub(super) states: Arc<StateMap>,
    pub(super) client: Client,
    pub(super) rules: Rules,
    pub(super) running: Running,
    pub(super) presence: Presence,
    pub(super) server_id: String,
    pub(super) limits: Limits,
    pub(super) serving: Serving,
    pub(super) pacing: Pacing,
    pub(super) cancel_grace: Duration,
    pub(super) handlers: JoinSet<Finished>,
    pub(super) calls: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Slots that the calls in flight may fill.
    pub(super) slots_asked: usize,
    /// Leased, and not begun: no slot is free.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) unsettled: Vec<Settlement>,
    /// The answer to an exchange was lost: it may have leased tasks that nobody here runs.
    pub(super) answer_lost: bool,
}

/// A task that is to run.
struct Ready {
    key: Key,
    run: RunToken,
    message: Arc<TaskMessage>,
    cancellation: CancellationToken,
    /// Unix nanoseconds.
    pending_since: Option<i64>,
    started: Timestamp,
    deadline: Timestamp,
}

/// A task that begins when a slot is free.
pub(super) struct Waiting {
    task: Ready,
    since: Instant,
}

/// A handler's end.
pub(super) struct Finished {
    key: Key,
    run: RunToken,
    message: Arc<TaskMessage>,
    result: HandlerResult,
}

/// A call's end.
pub(super) struct Answer {
    pub(super) settlements: Vec<Settlement>,
    slots: usize,
    sent: Sent,
    is_limited: bool,
    /// The queues that it named, where those are not all.
    named: Option<Vec<QueueName>>,
    pub(super) result: Result<Exchanged, BrokerError>,
}

impl Answer {
    /// Whether it put a task back for a server that can do more with it: that one should be the first to ask.
    fn leaves_to_others(&self) -> bool {
        let is_left = |settlement: &Settlement| {
            matches!(settlement.transition, Transition::PutBack { limit: Some(_), .. })
        };
        self.settlements.iter().any(is_left)
    }
}

/// What there is to look at.
enum Event {
    Control,
    Queues,
    Answered(Answer),
    Finished(Result<Finished, JoinError>),
    Work(Result<Option<QueueName>, BrokerError>),
    WaitedEnough,
    DrainOver,
}

impl Processor {
    /// Runs until drained.
    pub(super) async fn run(mut self, mut control: watch::Receiver<Control>) {
        let mut queues = self.serving.watch();
        let mut waiter = self.broker.waiter(&self.serving.names());
        let mut backoff = Backoff::new("processor");
        let mut waiting = Backoff::new("waiter");
        let (mut maybe_work, mut is_woken) = (true, false);
        loop {
            self.finish_ended();
            if queues.has_changed().unwrap_or(false) {
                self.serving.changed(&queues.borrow_and_update(), &self.limits);
                waiter = self.broker.waiter(&self.serving.names());
                maybe_work = true;
            }
            let order = *control.borrow_and_update();
            let drain_until = match order {
                Control::Drain(until) if until <= Instant::now() => break,
                Control::Drain(_) if self.handlers.is_empty() && self.calls.is_empty() => break,
                Control::Drain(until) => Some(until),
                Control::Fetch | Control::Stop => None,
            };
            let takes = order == Control::Fetch;
            let patience = self.pacing.patience();
            let is_over = |first: &Waiting| !takes || first.since.elapsed() >= patience;
            if self.can_put_back() && self.waiting.front().is_some_and(is_over) {
                self.pacing.rested();
                self.put_back();
            }
            // Two may be due. After a wake-up one is enough to see what there is.
            let most_calls = if is_woken { 1 } else { 2 };
            for _ in 0..most_calls {
                let slots = self.pacing.slots(self.calls.len(), if takes { self.free_slots() } else { 0 });
                let wanted = if maybe_work || self.serving.has_room() { slots } else { 0 };
                if !self.pacing.is_call_due(self.calls.len(), wanted, self.unsettled.len()) {
                    break;
                }
                let ask = self.serving.ask(&self.limits, &self.running, slots);
                if ask.demand.slots == 0 && self.unsettled.is_empty() {
                    // All that could be taken is limited, and full.
                    maybe_work = false;
                    break;
                }
                self.call(ask);
            }
            let waits = takes && self.calls.is_empty() && self.free_slots() > 0;
            let event = tokio::select! {
                biased;
                _ = control.changed() => Event::Control,
                Ok(()) = changed(&mut queues) => Event::Queues,
                Some(answer) = self.calls.next() => Event::Answered(answer),
                Some(joined) = self.handlers.join_next() => Event::Finished(joined),
                seen = waiter.wait(self.serving.resting()), if waits => Event::Work(seen),
                () = until(self.waiting.front().map(|first| first.since + patience)), if self.can_put_back() =>
                    Event::WaitedEnough,
                () = until(drain_until) => Event::DrainOver,
            };
            match event {
                Event::Control | Event::Queues | Event::WaitedEnough | Event::DrainOver => {}
                Event::Answered(answer) => {
                    let slots = answer.slots;
                    if answer.leaves_to_others() {
                        waiter.let_others_first();
                    }
                    match self.answered(answer).await {
                        Ok(leased) => {
                            backoff.worked();
                            if slots > 0 {
                                if std::mem::take(&mut is_woken) {
                                    waiter.came_in_time(leased > 0);
                                }
                                maybe_work = leased == slots || self.serving.has_more();
                            }
                            self.let_quick_handlers_end().await;
                        }
                        Err(error) => {
                            maybe_work = true;
                            pause(backoff.failed(&error), &mut control).await;
                        }
                    }
                }
                Event::Finished(joined) => {
                    self.finish(joined);
                    yield_now().await;
                }
                Event::Work(Ok(queue)) => {
                    waiting.worked();
                    self.pacing.rested();
                    self.serving.seen(queue.as_ref());
                    (maybe_work, is_woken) = (true, true);
                }
                Event::Work(Err(error)) => {
                    maybe_work = true;
                    pause(waiting.failed(&error), &mut control).await;
                }
            }
        }
        self.end().await;
    }

    /// Handlers that end at once do so now, and are settled together.
    async fn let_quick_handlers_end(&mut self) {
        for _ in 0..self.pacing.gathering_rounds() {
            let running = self.handlers.len();
            if running == 0 {
                break;
            }
            yield_now().await;
            self.finish_ended();
            if self.handlers.len() == running {
                break;
            }
        }
    }

    fn finish_ended(&mut self) {
        while let Some(joined) = self.handlers.try_join_next() {
            self.finish(joined);
        }
    }

    /// How many tasks more it may hold: those that run or wait, and those that a call in flight may bring, are held.
    pub(super) fn free_slots(&self) -> usize {
        self.pacing.free(self.handlers.len() + self.waiting.len() + self.slots_asked)
    }

    /// Sends a call: settles what can be settled, and asks.
    pub(super) fn call(&mut self, ask: Ask) {
        let Ask { mut demand, is_limited, is_narrow } = ask;
        let slots = demand.slots;
        if slots > 0 {
            self.presence.ask(&mut demand.queues);
            demand.pending_since = !self.rules.observers.is_empty();
        }
        let count = self.unsettled.len().min(MAX_SETTLED);
        let mut settlements: Vec<Settlement> = self.unsettled.drain(..count).collect();
        self.mark(&mut settlements, Phase::Settling);
        self.slots_asked += slots;
        let sent = self.pacing.sent(Instant::now());
        let broker = Arc::clone(&self.broker);
        let named =
            is_narrow.then(|| demand.queues.iter().map(|share| share.queue.clone()).collect::<Vec<_>>());
        self.calls.push(Box::pin(async move {
            let result = broker.exchange(&settlements, &demand).await;
            Answer { settlements, slots, sent, is_limited, named, result }
        }));
    }

    /// Takes a call's answer: starts what it leased; how many.
    pub(super) async fn answered(&mut self, answer: Answer) -> Result<usize, BrokerError> {
        let Answer { mut settlements, slots, sent, is_limited, named, result } = answer;
        self.slots_asked -= slots;
        match result {
            Ok(mut exchanged) => {
                self.pacing.answered(sent, Instant::now());
                if !settlements.is_empty() {
                    self.pacing.told_of_crowd(exchanged.is_crowded);
                }
                let leased = exchanged.leased.len();
                if slots > 0 {
                    self.serving.answered(is_limited, named.as_deref(), &exchanged);
                    if let Some(named) = named.filter(|_| leased < slots) {
                        let is_over = |queue: &QueueName| exchanged.passed_over.contains(queue);
                        self.serving.found_empty(named.into_iter().filter(|queue| !is_over(queue)));
                    }
                }
                let failure = exchanged.failure.take();
                self.exchanged(settlements, exchanged);
                if let Some(failure) = failure {
                    self.answer_lost = true;
                    return Err(failure);
                }
                // What another call in flight has leased would look as if nobody ran it.
                if self.answer_lost && self.calls.is_empty() {
                    self.reclaim().await?;
                    self.serving.reclaimed();
                    self.answer_lost = false;
                }
                Ok(leased)
            }
            Err(error) => {
                self.pacing.failed();
                self.answer_lost = true;
                self.serving.unanswered(is_limited);
                if !error.may_pass() && settlements.len() > 1 {
                    self.settle_one_by_one(settlements).await;
                } else {
                    self.mark(&mut settlements, Phase::Unsettled);
                    settlements.append(&mut self.unsettled);
                    self.unsettled = settlements;
                }
                Err(error)
            }
        }
    }

    /// The server refuses a batch: one bad task must not hold up the others.
    async fn settle_one_by_one(&mut self, settlements: Vec<Settlement>) {
        for settlement in settlements {
            let mut one = vec![settlement];
            if let Ok(exchanged) = self.broker.exchange(&one, &Demand::none()).await {
                self.exchanged(one, exchanged);
            } else {
                self.mark(&mut one, Phase::Unsettled);
                self.unsettled.append(&mut one);
            }
        }
    }

    fn mark(&self, settlements: &mut [Settlement], phase: Phase) {
        let mut table = self.running.lock();
        for settlement in settlements {
            let key = (settlement.queue.clone(), settlement.id.clone());
            if let Some(held) = held_by(&mut table, &key, settlement.run.as_ref()) {
                held.phase = phase;
                settlement.lease_until = held.lease_until;
            }
        }
    }

    fn exchanged(&mut self, settlements: Vec<Settlement>, exchanged: Exchanged) {
        let mut unanswered = Vec::new();
        {
            let mut table = self.running.lock();
            for (settlement, outcome) in settlements.into_iter().zip(exchanged.settled) {
                if outcome == Settled::Unanswered {
                    unanswered.push(settlement);
                    continue;
                }
                if outcome == Settled::Refused {
                    tracing::warn!(
                        task_id = %settlement.id, queue = %settlement.queue, answer_lost = self.answer_lost,
                        "this run no longer holds its task: its outcome is not counted"
                    );
                }
                let key = (settlement.queue, settlement.id);
                if held_by(&mut table, &key, settlement.run.as_ref()).is_some() {
                    table.remove(&key);
                }
            }
        }
        if !unanswered.is_empty() {
            self.mark(&mut unanswered, Phase::Unsettled);
            unanswered.append(&mut self.unsettled);
            self.unsettled = unanswered;
        }
        for (queue, id) in exchanged.dropped {
            tracing::warn!(task_id = %id, %queue, "an ID without a task was pending; dropped");
        }
        for leased in exchanged.leased {
            self.take(leased);
        }
    }

    /// Puts back what an exchange leased to this server without our knowing.
    async fn reclaim(&mut self) -> Result<(), BrokerError> {
        const CHUNK: usize = 500;
        for queue in self.serving.taken_from() {
            let mut offset = 0;
            loop {
                let (tasks, looked_at) = self.broker.owned_by(&queue, &self.server_id, offset, CHUNK).await?;
                for task in tasks.into_iter().filter(|task| !self.running.holds(&queue, &task.id)) {
                    tracing::info!(task_id = %task.id, %queue, "leased without an answer; put back");
                    self.unsettled.push(Settlement {
                        queue: queue.clone(),
                        id: task.id,
                        run: task.run,
                        lease_until: task.lease_until,
                        transition: Transition::Requeue { crashed: false },
                    });
                }
                if looked_at < CHUNK {
                    break;
                }
                offset += looked_at;
            }
        }
        Ok(())
    }

    /// Starts a task, or lets it wait.
    fn take(&mut self, leased: Leased) {
        let Leased { queue, id, message, run, lease_until, pending_since } = leased;
        let message = match message {
            Ok(message) => Arc::new(message),
            Err(unreadable) => {
                tracing::error!(
                    task_id = %id, %queue, error = %error_text(&unreadable.error), bytes = unreadable.bytes.len(),
                    "stored message cannot be read; moved to the archive as it is"
                );
                let transition = self.rules.archive(None);
                self.rules.hooks.tell(|| Ended {
                    task: unreadable_task(&queue, &id),
                    error: Some(&unreadable.error),
                    fate: Fate::Archived,
                    took: None,
                });
                self.unsettled.push(Settlement { queue, id, run: Some(run), lease_until, transition });
                return;
            }
        };
        let started = self.broker.clock().now();
        let deadline = deadline(&message, started);
        let cancellation = CancellationToken::new();
        let key = (queue, id);
        let begins = self.waiting.is_empty() && self.pacing.can_begin(self.handlers.len());
        let held = Held {
            run: run.clone(),
            lease_until,
            message: Arc::clone(&message),
            started,
            deadline,
            cancellation: cancellation.clone(),
            cancelled: None,
            is_told_overdue: false,
            phase: if begins { Phase::Running } else { Phase::Waiting },
        };
        // An earlier run of the task, which this server has lost without hearing of it, is over.
        if let Some(earlier) = self.running.lock().insert(key.clone(), held) {
            earlier.cancellation.cancel();
        }
        let task = Ready { key, run, message, cancellation, pending_since, started, deadline };
        if begins {
            self.start(task);
        } else {
            self.waiting.push_back(Waiting { task, since: Instant::now() });
        }
    }

    /// Starts those that wait, as far as slots are free.
    fn start_waiting(&mut self) {
        while self.pacing.can_begin(self.handlers.len()) {
            let Some(Waiting { mut task, .. }) = self.waiting.pop_front() else { return };
            task.started = self.broker.clock().now();
            task.deadline = deadline(&task.message, task.started);
            let is_held = {
                let mut table = self.running.lock();
                let held = held_by(&mut table, &task.key, Some(&task.run));
                held.map(|held| {
                    (held.started, held.deadline) = (task.started, task.deadline);
                    held.phase = Phase::Running;
                })
                .is_some()
            };
            // Otherwise this server lost it, and has taken it again.
            if is_held {
                self.start(task);
            }
        }
    }

    /// Whether no call in flight may bring tasks: they stood behind those that wait, and would be put back before them.
    fn can_put_back(&self) -> bool {
        self.slots_asked == 0
    }

    /// Puts back all that wait. The last comes first: each goes to the front of its queue.
    pub(super) fn put_back(&mut self) {
        for Waiting { task, .. } in std::mem::take(&mut self.waiting).into_iter().rev() {
            if task.cancellation.is_cancelled() {
                // Whoever asked for that does not ask again.
                self.start(task);
                continue;
            }
            self.serving.ended(&self.limits, &task.key.0, &task.message.task_type);
            let mut table = self.running.lock();
            let Some(held) = held_by(&mut table, &task.key, Some(&task.run)) else { continue };
            held.phase = Phase::Unsettled;
            tracing::debug!(task_id = %task.key.1, queue = %task.key.0, "no slot is free for it; put back");
            self.unsettled.push(held.requeued(task.key));
        }
    }

    /// Starts a task, unless it was cancelled while it waited, or its deadline is over.
    fn start(&mut self, task: Ready) {
        let Ready { key, run, message, cancellation, pending_since, started, deadline } = task;
        self.rules.observers.started(&Run::new(key.0.as_str(), &message.task_type), pending_since, started);
        if cancellation.is_cancelled() {
            self.settle(Finished { key, run, message, result: Err(Cancelled.into()) });
            return;
        }
        let left = Duration::try_from(deadline.duration_since(started)).unwrap_or_default();
        if left.is_zero() {
            self.settle(Finished { key, run, message, result: Err(DeadlineExceeded.into()) });
            return;
        }
        let span = tracing::info_span!(
            "task", id = %key.1, task_type = message.task_type, queue = %key.0, attempt = message.retried.saturating_add(1),
            otel.name = Empty, otel.kind = Empty
        );
        if let Some(traces) = self.client.traces() {
            let (queue, id) = (key.0.as_str(), key.1.as_str());
            let attempt = message.retried.saturating_add(1);
            let about = Traced::Run { queue, task_type: &message.task_type, id, attempt };
            traces.describe(&span, &about);
            traces.extract(&message.headers, &span);
        }
        let parts = CtxParts {
            id: key.1.clone(),
            queue: key.0.clone(),
            message: Arc::clone(&message),
            deadline: Some(deadline),
            cancellation: cancellation.clone(),
            states: Arc::clone(&self.states),
            client: self.client.clone(),
            blocking: std::sync::OnceLock::new(),
        };
        let handler = self.handler.clone();
        let grace = self.cancel_grace;
        // An instant that no timer can hold is no limit.
        let deadline = Instant::now().checked_add(left);
        let run = async move {
            let ctx = match Ctx::opening(parts) {
                Ok(ctx) => ctx,
                Err(error) => return Finished { key, run, message, result: Err(error) },
            };
            // A handler may panic before its first await: that, too, is its failure.
            let called = ctx.clone();
            let handler = async move { handler.call(called).await };
            let result = attempt(handler, deadline, &cancellation, grace).await;
            ctx.blocking_ended().await;
            if let (Some(traces), Err(error)) = (ctx.client().traces(), &result)
                && !matches!(Verdict::of(&**error), Verdict::PutBack(_))
            {
                traces.failed(&Span::current(), &**error);
            }
            Finished { key, run, message, result }
        };
        self.handlers.spawn(run.instrument(span));
    }

    pub(super) fn finish(&mut self, joined: Result<Finished, JoinError>) {
        // A handler's panic is its result; what is left is a task that was aborted, and shutdown settles those.
        if let Ok(finished) = joined {
            self.settle(finished);
        }
        self.start_waiting();
    }

    fn settle(&mut self, Finished { key, run, message, result }: Finished) {
        self.pacing.ended();
        self.serving.ended(&self.limits, &key.0, &message.task_type);
        let (lease_until, started) = {
            let mut table = self.running.lock();
            let Some(held) = held_by(&mut table, &key, Some(&run)) else {
                tracing::warn!(
                    task_id = %key.1, queue = %key.0,
                    "this server runs the task again: the outcome of its earlier run is not counted"
                );
                let run = Run::new(key.0.as_str(), &message.task_type);
                self.rules.observers.ended(&run, || RunOutcome::Cancelled, || None);
                return;
            };
            held.phase = Phase::Unsettled;
            (held.lease_until, held.started)
        };
        let failure = result.as_ref().err().map(|error| error_text(&**error));
        if result.as_ref().is_err_and(|error| has_cause::<HandlerNotFound>(&**error)) {
            tracing::warn!(
                task_type = message.task_type, registered = ?self.router.routes(),
                "no handler for this task type"
            );
        }
        let now = self.broker.clock().now();
        let transition = self.rules.transition(&message, &result, now);
        let took = || Duration::try_from(now.duration_since(started)).ok();
        let observed = Run::new(key.0.as_str(), &message.task_type);
        self.rules.observers.ended(&observed, || run_outcome(&result, &transition), took);
        self.rules.hooks.tell(|| Ended {
            task: taken(&message),
            error: result.as_ref().err().map(|error| &**error),
            fate: Fate::of(&transition),
            took: took(),
        });
        if let Transition::PutBack { at, limit: None, .. } = transition {
            tracing::debug!(task_id = %key.1, queue = %key.0, reason = failure, due = at, "task put back");
        } else if let Some(error) = failure {
            let (outcome, retried) = (outcome_name(&transition), message.retried);
            tracing::warn!(task_id = %key.1, queue = %key.0, error, outcome, retried, "task failed");
        } else {
            tracing::debug!(task_id = %key.1, queue = %key.0, "task done");
        }
        let (queue, id) = key;
        self.unsettled.push(Settlement { queue, id, run: Some(run), lease_until, transition });
    }

    /// The end of the grace period: handlers are dropped, their tasks put back, everything settled.
    async fn end(mut self) {
        while let Some(answer) = self.calls.next().await {
            if let Err(error) = self.answered(answer).await {
                tracing::debug!(%error, "a call failed at the end");
            }
        }
        self.put_back();
        if !self.handlers.is_empty() {
            tracing::warn!(
                tasks = self.handlers.len(),
                "grace period is over; putting unfinished tasks back"
            );
            self.running.cancel_all();
            self.handlers.abort_all();
            // A handler that blocks its thread cannot be dropped; its task is put back all the same.
            let ended = timeout(ABORT_GRACE, async {
                while let Some(joined) = self.handlers.join_next().await {
                    self.finish(joined);
                }
            });
            if ended.await.is_err() {
                tracing::warn!(
                    tasks = self.handlers.len(),
                    "these handlers block their thread and cannot be stopped; they may still do something"
                );
            }
            let table = self.running.lock();
            let now = self.broker.clock().now();
            for (key, held) in table.iter().filter(|(_, held)| held.runs()) {
                let took = || Duration::try_from(now.duration_since(held.started)).ok();
                let observed = Run::new(key.0.as_str(), &held.message.task_type);
                self.rules.observers.ended(&observed, || RunOutcome::PutBack, took);
                self.unsettled.push(held.requeued(key.clone()));
            }
        }
        let give_up = Instant::now() + LAST_CALLS;
        let mut backoff = Backoff::new("last settlements");
        while !self.unsettled.is_empty() {
            self.call(Ask::nothing());
            let Some(answer) = self.calls.next().await else { break };
            if let Err(error) = self.answered(answer).await {
                let delay = backoff.failed(&error);
                if Instant::now() + delay > give_up {
                    tracing::error!(
                        tasks = self.unsettled.len(),
                        "broker does not answer: these tasks stay active until another server recovers them"
                    );
                    return;
                }
                sleep(delay).await;
            }
        }
    }
}

/// Sleeps, unless there is a new order.
async fn pause(delay: Duration, control: &mut watch::Receiver<Control>) {
    tokio::select! {
        () = sleep(delay) => {}
        _ = control.changed() => {}
    }
}

/// Waits until there are other queues, which stay to be seen.
async fn changed(queues: &mut watch::Receiver<Served>) -> Result<(), watch::error::RecvError> {
    queues.changed().await?;
    queues.mark_changed();
    Ok(())
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn outcome_name(transition: &Transition) -> &'static str {
    match transition {
        Transition::Done { .. } => "done",
        Transition::Revoke { .. } => "revoked",
        Transition::Retry { .. } => "retry",
        Transition::Archive { .. } => "archived",
        Transition::Complete { .. } => "completed",
        Transition::PutBack { .. } | Transition::Requeue { .. } => "put back",
    }
}

/// When this attempt must end: the earlier of timeout and deadline, in Go's whole seconds when both are set.
pub(super) fn deadline(message: &TaskMessage, now: Timestamp) -> Timestamp {
    let after =
        |seconds: i64| now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    match (message.timeout, message.deadline) {
        (timeout, 0) if timeout > 0 => after(timeout),
        (timeout, deadline) if timeout > 0 => {
            from_unix_seconds(crate::clock::floor_seconds(now).saturating_add(timeout).min(deadline))
        }
        (_, 0) => after(DEFAULT_TIMEOUT.as_secs().cast_signed()),
        (_, deadline) => from_unix_seconds(deadline),
    }
}
