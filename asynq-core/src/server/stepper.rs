//! [`Stepper`]: a worker without loops, for the testing kit: it takes, runs and settles when it is told to.
//!
//! It is the [`Processor`] and the [`Recoverer`] of a server; what a server's loops do by the passing of time, its owner
//! asks for. So whatever holds for tasks in a server holds here.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::aggregator::{AggregatorLoop, Workplace};
use super::attempt::attempt;
use super::limits::{Ask, Limits};
use super::pacing::Pacing;
use super::presence::Presence;
use super::processor::{Answer, Processor, deadline};
use super::recoverer::{INTERVAL, Recoverer, Seen};
use super::running::{Phase, Running};
use super::server::wrapped;
use super::serving::Serving;
use super::settle::Rules;
use super::{Queues, ServerBuilder};
use crate::broker::{BrokerError, Place, Settled, Transition};
use crate::client::Client;
use crate::error::Result;
use crate::router::{Ctx, CtxParts, Handler, HandlerResult, Router, StateMap};
use crate::scheduler::Scheduler;
use crate::task::{QueueName, TaskId};
use crate::wire::TaskMessage;

/// A worker that works when it is told to.
pub(crate) struct Stepper {
    setup: Arc<StepSetup>,
    processor: Processor,
    recoverer: Recoverer,
    aggregator: AggregatorLoop,
    seen: Seen,
}

/// The settings that a worker and its successors share.
struct StepSetup {
    /// What aggregators work with.
    workplace: Arc<Workplace>,
    client: Client,
    /// Enqueues the jobs that have a schedule, if the settings say so.
    scheduler: Option<Scheduler>,
    router: Arc<Router>,
    handler: Handler,
    states: Arc<StateMap>,
    queues: Queues,
    /// Whether the settings say which queues; otherwise it takes from all there are.
    has_queues: bool,
    strict: bool,
    concurrency: usize,
    prefetch: usize,
    type_concurrency: BTreeMap<String, usize>,
    rules: Rules,
    cancel_grace: Duration,
    max_crashes: u32,
}

/// Tasks that were taken and not looked at yet.
pub(crate) struct Taken(Option<Answer>);

/// A run of a task that has come to its end.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) queue: QueueName,
    pub(crate) id: TaskId,
    /// As it was taken; `None` where the stored bytes are no message.
    pub(crate) message: Option<Arc<TaskMessage>>,
    pub(crate) end: RunEnd,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum RunEnd {
    /// The task went there.
    Settled(Box<Transition>),
    /// The run did not hold its task any more: nothing was changed.
    Refused,
    /// The worker died.
    Crashed,
}

/// What an [`attempt`](Stepper::attempt) is made of, beside what the worker gives.
pub(crate) struct Attempted {
    pub(crate) parts: CtxParts,
    pub(crate) cancellation: CancellationToken,
}

impl Stepper {
    /// A worker with the settings of a server, on the broker of its client. `wrap` may put something around the
    /// handlers.
    pub(crate) async fn new(builder: ServerBuilder, wrap: impl FnOnce(Router) -> Router) -> Result<Self> {
        let has_queues = builder.queues.is_some();
        let setup = builder.setup(false).await?;
        let router = Arc::new(wrap(setup.router));
        let states = Arc::new(setup.states);
        let workplace = Workplace {
            broker: Arc::clone(setup.client.broker()),
            client: setup.client.clone(),
            states: Arc::clone(&states),
            groups: setup.groups,
            bad_payloads: setup.rules.bad_payloads,
        };
        Ok(Self::start(Arc::new(StepSetup {
            workplace: Arc::new(workplace),
            client: setup.client,
            scheduler: setup.scheduler,
            handler: wrapped(&router, setup.layers),
            router,
            states,
            queues: Queues::new(setup.queues),
            has_queues,
            strict: setup.strict,
            concurrency: setup.concurrency,
            prefetch: setup.prefetch,
            type_concurrency: setup.type_concurrency,
            rules: setup.rules,
            cancel_grace: setup.cancel_grace,
            max_crashes: setup.max_crashes,
        })))
    }

    /// Another worker with the same settings, as if it had been started beside this one. What this one has seen of the
    /// others goes with it: the two watch with the same eyes.
    pub(crate) fn successor(&mut self) -> Self {
        Self { seen: std::mem::take(&mut self.seen), ..Self::start(Arc::clone(&self.setup)) }
    }

    fn start(setup: Arc<StepSetup>) -> Self {
        let broker = Arc::clone(setup.client.broker());
        let running = Running::default();
        let presence = Presence::default();
        let server_id = uuid::Uuid::new_v4().to_string();
        let recoverer = Recoverer {
            broker: Arc::clone(&broker),
            running: running.clone(),
            rules: setup.rules.clone(),
            server_id: server_id.clone(),
            queues: setup.queues.clone(),
            presence: presence.clone(),
            max_crashes: setup.max_crashes,
        };
        let limits = Limits::new(server_id.clone(), setup.strict, setup.type_concurrency.clone());
        let processor = Processor {
            broker,
            handler: setup.handler.clone(),
            router: Arc::clone(&setup.router),
            states: Arc::clone(&setup.states),
            client: setup.client.clone(),
            rules: setup.rules.clone(),
            running,
            presence,
            server_id,
            serving: Serving::new(&setup.queues, &limits).naming_all(),
            limits,
            pacing: Pacing::new(setup.concurrency, setup.prefetch),
            cancel_grace: setup.cancel_grace,
            handlers: JoinSet::new(),
            calls: FuturesUnordered::new(),
            slots_asked: 0,
            waiting: VecDeque::new(),
            unsettled: Vec::new(),
            answer_lost: false,
        };
        let aggregator = AggregatorLoop::new(Arc::clone(&setup.workplace), setup.queues.clone());
        Self { setup, processor, recoverer, aggregator, seen: Seen::default() }
    }

    /// Takes from these queues, too, unless the settings name those to take from.
    ///
    /// # Errors
    ///
    /// When a name is none that a server takes from.
    pub(crate) fn serve(&mut self, known: Vec<QueueName>) -> Result<()> {
        let queues = &self.setup.queues;
        if !self.setup.has_queues {
            let served = queues.names();
            for queue in known.into_iter().filter(|queue| !served.contains(queue)) {
                queues.set(queue, 1)?;
            }
        }
        let served = Arc::clone(&queues.watch().borrow());
        self.processor.serving.changed(&served, &self.processor.limits);
        Ok(())
    }

    /// Takes tasks, runs them, settles them, until nothing is pending, there are `most` runs, or `crash` resolves: then
    /// this worker is dead, and is to be dropped. `false` when it died.
    ///
    /// # Errors
    ///
    /// When the broker does not do what it is asked.
    pub(crate) async fn run(
        &mut self,
        most: usize,
        crash: impl Future<Output = ()>,
        runs: &mut Vec<Run>,
    ) -> Result<bool> {
        tokio::pin!(crash);
        loop {
            if !self.finish_handlers(crash.as_mut(), runs).await {
                return Ok(false);
            }
            let ask = self.ask();
            let answer = self.exchange(ask).await;
            let leased = self.answered(answer, runs).await?;
            if leased == 0 && self.processor.unsettled.is_empty() || runs.len() >= most {
                return Ok(true);
            }
        }
    }

    /// Takes as many tasks as it has slots, and does not look at them: [`resume`](Self::resume) starts them.
    pub(crate) async fn take(&mut self) -> Taken {
        let ask = self.ask();
        Taken(self.exchange(ask).await)
    }

    /// Runs what was [taken](Self::take) before, and takes nothing more. `false` when the worker died.
    ///
    /// # Errors
    ///
    /// When the broker does not do what it is asked.
    pub(crate) async fn resume(
        &mut self,
        taken: Taken,
        crash: impl Future<Output = ()>,
        runs: &mut Vec<Run>,
    ) -> Result<bool> {
        tokio::pin!(crash);
        self.answered(taken.0, runs).await?;
        loop {
            if !self.finish_handlers(crash.as_mut(), runs).await {
                return Ok(false);
            }
            if self.processor.unsettled.is_empty() {
                return Ok(true);
            }
            let answer = self.exchange(Ask::nothing()).await;
            self.answered(answer, runs).await?;
        }
    }

    /// What the loops beside the processor do, at this time; when there is something for them to do next.
    ///
    /// # Errors
    ///
    /// When the broker does not do what it is asked.
    pub(crate) async fn chores(&mut self, now: Instant) -> Result<Option<Timestamp>> {
        const BATCH: usize = 100;
        let broker = Arc::clone(&self.processor.broker);
        let mut next_due = match &self.setup.scheduler {
            Some(scheduler) => scheduler.step().await?,
            None => None,
        };
        for queue in self.setup.queues.names() {
            let forwarded = loop {
                let forwarded = broker.forward(&queue).await?;
                if forwarded.moved == 0 {
                    break forwarded;
                }
            };
            let due = forwarded.next_due.map(crate::clock::from_unix_seconds);
            next_due = next_due.into_iter().chain(due).min();
            while broker.delete_expired_completed(&queue, BATCH).await? == BATCH {}
            while broker.delete_expired_archived(&queue, BATCH).await? == BATCH {}
        }
        let wait = self.aggregator.step(now).await?;
        let ready =
            SignedDuration::try_from(wait).ok().and_then(|wait| broker.clock().now().checked_add(wait).ok());
        next_due = next_due.into_iter().chain(ready).min();
        self.recoverer.look(&mut self.seen, now).await?;
        if self.holds_others_tasks().await? {
            // They are to be recovered, and that takes looks at short intervals.
            let look = broker.clock().now().saturating_add(INTERVAL).unwrap_or(Timestamp::MAX);
            next_due = next_due.into_iter().chain([look]).min();
        }
        Ok(next_due)
    }

    /// Runs a task that is in no queue as this worker would, against its time limit; `None` when `crash` comes first.
    pub(crate) async fn attempt(
        &self,
        attempted: Attempted,
        crash: impl Future<Output = ()>,
    ) -> Option<HandlerResult> {
        let Attempted { mut parts, cancellation } = attempted;
        parts.states = Arc::clone(&self.processor.states);
        let now = self.processor.broker.clock().now();
        let ends = parts.deadline.unwrap_or_else(|| deadline(&parts.message, now));
        parts.deadline = Some(ends);
        let left = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
        let handler = self.processor.handler.clone();
        let ctx = Ctx::new(parts);
        let handler = async move { handler.call(ctx).await };
        let grace = self.processor.cancel_grace;
        let until = Instant::now().checked_add(left);
        tokio::select! {
            biased;
            result = attempt(handler, until, &cancellation, grace) => Some(result),
            () = crash => None,
        }
    }

    async fn holds_others_tasks(&self) -> Result<bool, BrokerError> {
        let queues = self.setup.queues.names();
        Ok(!self.recoverer.broker.occupied(Place::Active, &queues).await?.is_empty())
    }

    /// `false` when the worker died first.
    async fn finish_handlers(
        &mut self,
        mut crash: impl Future<Output = ()> + Unpin,
        runs: &mut Vec<Run>,
    ) -> bool {
        while !self.processor.handlers.is_empty() {
            tokio::select! {
                biased;
                () = &mut crash => {
                    self.note_crash(runs);
                    return false;
                }
                Some(joined) = self.processor.handlers.join_next() => self.processor.finish(joined),
            }
        }
        true
    }

    /// As many tasks as there are slots for.
    fn ask(&mut self) -> Ask {
        let slots = self.processor.pacing.slots(0, self.processor.free_slots());
        let Processor { serving, limits, running, .. } = &mut self.processor;
        serving.ask(limits, running, slots)
    }

    async fn exchange(&mut self, ask: Ask) -> Option<Answer> {
        self.processor.call(ask);
        self.processor.calls.next().await
    }

    /// Notes what has ended, starts what was taken: how many.
    async fn answered(&mut self, answer: Option<Answer>, runs: &mut Vec<Run>) -> Result<usize> {
        let Some(answer) = answer else { return Ok(0) };
        if let Ok(exchanged) = &answer.result {
            let table = self.processor.running.lock();
            runs.extend(answer.settlements.iter().zip(&exchanged.settled).filter_map(
                |(settlement, settled)| {
                    let (queue, id) = (settlement.queue.clone(), settlement.id.clone());
                    let message =
                        table.get(&(queue.clone(), id.clone())).map(|held| Arc::clone(&held.message));
                    let end = match settled {
                        Settled::Applied => RunEnd::Settled(Box::new(settlement.transition.clone())),
                        Settled::Refused => RunEnd::Refused,
                        Settled::Unanswered => return None,
                    };
                    Some(Run { queue, id, message, end })
                },
            ));
        }
        Ok(self.processor.answered(answer).await?)
    }

    fn note_crash(&self, runs: &mut Vec<Run>) {
        let table = self.processor.running.lock();
        let mut dead: Vec<Run> = table
            .iter()
            .filter(|(_, held)| held.phase == Phase::Running)
            .map(|((queue, id), held)| Run {
                queue: queue.clone(),
                id: id.clone(),
                message: Some(Arc::clone(&held.message)),
                end: RunEnd::Crashed,
            })
            .collect();
        dead.sort_by(|one, other| one.id.cmp(&other.id));
        runs.append(&mut dead);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::server::tests::in_memory;
    use crate::task::{Task, TaskOptions};

    /// A worker of one slot that holds three tasks, the first of which runs; which begin is told.
    async fn with_two_waiting() -> (Stepper, Client, mpsc::Receiver<String>) {
        let client = in_memory();
        let (tell, told) = mpsc::channel(10);
        let router = Router::new()
            .route("t", move |ctx: Ctx| {
                let tell = tell.clone();
                async move { tell.send(ctx.task_id().to_string()).await }
            })
            .unwrap();
        let server = crate::server::Server::builder(&client).router(router).concurrency(1).prefetch(2);
        let mut stepper = Stepper::new(server, |router| router).await.unwrap();
        for id in ["first", "second", "third"] {
            let options = TaskOptions::new().task_id(id).timeout(Duration::from_secs(10));
            client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
        }
        stepper.processor.pacing = ahead(2);
        let ask = stepper.ask();
        let answer = stepper.exchange(ask).await.unwrap();
        stepper.processor.answered(answer).await.unwrap();
        assert_eq!((stepper.processor.handlers.len(), stepper.processor.waiting.len()), (1, 2));
        (stepper, client, told)
    }

    /// One slot, and so many tasks ahead of it.
    fn ahead(tasks: usize) -> Pacing {
        let mut pacing = Pacing::new(1, tasks);
        let now = Instant::now();
        pacing.answered(pacing.sent(now), now + Duration::from_millis(1));
        let call = pacing.sent(now + Duration::from_millis(1));
        (0..tasks).for_each(|_| pacing.ended());
        pacing.answered(call, now + Duration::from_millis(2));
        pacing
    }

    async fn finish(mut stepper: Stepper) -> Vec<Run> {
        let mut runs = Vec::new();
        stepper.run(100, std::future::pending(), &mut runs).await.unwrap();
        runs
    }

    fn begun(told: &mut mpsc::Receiver<String>) -> Vec<String> {
        std::iter::from_fn(|| told.try_recv().ok()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_begins_in_order_and_its_timeout_with_it() {
        let (stepper, _client, mut told) = with_two_waiting().await;
        tokio::time::advance(Duration::from_secs(20)).await;
        let runs = finish(stepper).await;
        assert!(
            runs.iter().all(
                |run| matches!(&run.end, RunEnd::Settled(end) if matches!(**end, Transition::Done { .. }))
            )
        );
        assert_eq!(begun(&mut told), ["first", "second", "third"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_and_is_cancelled_does_not_begin() {
        let (stepper, _client, mut told) = with_two_waiting().await;
        let now = stepper.processor.broker.clock().now();
        assert_eq!(stepper.processor.running.cancel("second", now), 1);
        let runs = finish(stepper).await;
        let end = |id: &str| &runs.iter().find(|run| run.id == id).unwrap().end;
        assert!(matches!(
            end("second"),
            RunEnd::Settled(end) if matches!(&**end, Transition::Retry { message, .. } if message.retried == 1)
        ));
        assert_eq!(begun(&mut told), ["first", "third"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_and_is_lost_does_not_begin() {
        let (stepper, _client, mut told) = with_two_waiting().await;
        {
            let mut table = stepper.processor.running.lock();
            let key = (QueueName::default(), TaskId::new("second").unwrap());
            table.remove(&key).unwrap();
        }
        let runs = finish(stepper).await;
        assert!(!runs.iter().any(|run| run.id == "second"));
        assert_eq!(begun(&mut told), ["first", "third"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_too_long_goes_back_as_it_was_unless_it_was_cancelled() {
        let (mut stepper, client, mut told) = with_two_waiting().await;
        stepper.processor.running.cancel("third", Timestamp::MIN);
        stepper.processor.put_back();
        let ids: Vec<_> = stepper.processor.unsettled.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["third", "second"]);
        let answer = stepper.exchange(Ask::nothing()).await.unwrap();
        stepper.processor.answered(answer).await.unwrap();
        let id = TaskId::new("second").unwrap();
        let second = client.broker().task_info(&QueueName::default(), &id).await.unwrap().unwrap();
        assert_eq!((second.state, second.retried), (crate::task::TaskState::Pending, 0));
        let id = TaskId::new("third").unwrap();
        let third = client.broker().task_info(&QueueName::default(), &id).await.unwrap().unwrap();
        assert_eq!((third.state, third.retried), (crate::task::TaskState::Retry, 1), "it was cancelled");
        finish(stepper).await;
        assert_eq!(begun(&mut told), ["first", "second"]);
    }
}
