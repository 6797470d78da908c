//! [`AggregationRun`]: what becomes of one staged set.
//!
//! Members are parted by their aggregators. Each part ends by itself: in one call its tasks are replaced by the one
//! that stands for them, or they stay in the set, which goes back to the group after a rest.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::aggregator::Workplace;
use super::attempt::{DeadlineExceeded, Panicked, panic_text};
use super::members::Members;
use super::settle::error_text;
use crate::background::Backoff;
use crate::broker::{
    AGGREGATION_TIMEOUT, BrokerError, FinishedMember, FinishedSet, NewTask, RejectedMember, SetName,
};
use crate::error::Error;
use crate::job::GroupSettings;
use crate::router::{AggregateResult, Aggregation, Aggregator, BoxError, Ctx, CtxParts};
use crate::task::{QueueName, Task, TaskId};
use crate::telemetry::Traced;
use crate::wire::TaskMessage;

/// How many members that cannot be aggregated are taken out in one call.
const CHUNK: usize = 500;

/// Time between extensions of a set: it survives several lost ones.
const EXTEND_INTERVAL: Duration = Duration::from_secs(20);

/// The rest of a group after its first failure; it doubles with each.
const FIRST_REST: Duration = Duration::from_secs(5);

/// The longest rest, which is what Go's always is.
const LONGEST_REST: Duration = AGGREGATION_TIMEOUT;

/// How long a group is left to other servers that holds tasks which no aggregator here takes.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(30);

/// Most tasks whose traces a span is linked to: as many as OpenTelemetry keeps of one.
const MOST_LINKS: usize = 128;

/// A set that this server staged.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    pub(super) queue: QueueName,
    pub(super) set: SetName,
}

/// How a run ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// How long to leave the group alone, if at all.
    pub(super) rest: Option<Duration>,
    /// How often it has failed without a success between.
    pub(super) failures: u32,
}

/// One staged set on its way.
pub(super) struct AggregationRun {
    workplace: Arc<Workplace>,
    queue: QueueName,
    set: SetName,
    failures: u32,
    /// How many members the set had when it was read.
    all: usize,
    /// How many members are left to other servers.
    left: usize,
}

/// Members of one aggregator.
struct Part {
    aggregator: Arc<Aggregator>,
    members: Vec<(TaskId, TaskMessage)>,
}

/// What became of a part.
enum PartEnd {
    Done,
    Failed,
    /// The set is no longer ours.
    Lost,
}

impl AggregationRun {
    pub(super) fn new(workplace: Arc<Workplace>, staged: Staged, failures: u32) -> Self {
        let Staged { queue, set } = staged;
        Self { workplace, queue, set, failures, all: 0, left: 0 }
    }

    pub(super) async fn run(mut self) -> Ended {
        let parts = self.parts().await;
        let mut has_failed = false;
        for (number, part) in parts.into_iter().enumerate() {
            match self.part(number, part).await {
                PartEnd::Done => {}
                PartEnd::Failed => has_failed = true,
                PartEnd::Lost => {
                    tracing::warn!(
                        queue = %self.queue, group = self.set.group,
                        "the time of an aggregation set ran out; its tasks are aggregated anew, unless they were already"
                    );
                    return Ended::default();
                }
            }
        }
        let (rest, failures) = match (has_failed, self.left) {
            (true, _) => {
                let doublings = 1 << self.failures.min(10);
                (FIRST_REST.saturating_mul(doublings).min(LONGEST_REST), self.failures.saturating_add(1))
            }
            (false, 1..) => (LEFT_TO_OTHERS, 0),
            (false, 0) => return Ended::default(),
        };
        // Failed tasks wait in their set, where no server takes them before; what is left for others is free at once.
        let wait = if has_failed { rest.as_secs().cast_signed() } else { 0 };
        persist("give an aggregation set back", || {
            self.workplace.broker.extend_set(&self.queue, &self.set, self.now() + wait)
        })
        .await;
        Ended { rest: Some(rest), failures }
    }

    fn now(&self) -> i64 {
        self.workplace.broker.clock().unix_seconds()
    }

    /// Reads the set: what each aggregator takes. What nobody here takes is left, and what is no task is taken out.
    async fn parts(&mut self) -> Vec<Part> {
        let (mut parts, mut unreadable) = (Vec::<Part>::new(), Vec::new());
        let members =
            persist("read an aggregation set", || self.workplace.broker.read_set(&self.queue, &self.set))
                .await;
        self.all = members.len();
        for member in members {
            let message = match member.message {
                Some(Ok(message)) if message.task_type.trim().is_empty() => {
                    unreadable.push(self.rejected(member.id, message, "the task has no type".to_owned()));
                    continue;
                }
                Some(Ok(message)) => message,
                Some(Err(undecodable)) => {
                    tracing::error!(
                        task_id = %member.id, queue = %self.queue, group = self.set.group,
                        error = %error_text(&undecodable.error),
                        "stored message cannot be read; moved to the archive as it is"
                    );
                    unreadable.push(RejectedMember { id: member.id, message: None });
                    continue;
                }
                None => {
                    tracing::warn!(
                        task_id = %member.id, queue = %self.queue, group = self.set.group,
                        "a group had an ID without a task; dropped"
                    );
                    unreadable.push(RejectedMember { id: member.id, message: None });
                    continue;
                }
            };
            let Some(aggregator) = self.workplace.groups.aggregators.choose(&self.queue, &message.task_type)
            else {
                self.left += 1;
                continue;
            };
            let member = (member.id, message);
            match parts.iter_mut().find(|part| Arc::ptr_eq(&part.aggregator, aggregator)) {
                Some(part) => part.members.push(member),
                None => parts.push(Part { aggregator: Arc::clone(aggregator), members: vec![member] }),
            }
        }
        self.archive(&unreadable).await;
        parts
    }

    /// Has one part made into a task.
    async fn part(&mut self, number: usize, part: Part) -> PartEnd {
        let Part { aggregator, mut members } = part;
        let tasks = members.len();
        let span = tracing::info_span!(
            "aggregate", aggregator = aggregator.name, queue = %self.queue, group = self.set.group, tasks,
            otel.name = Empty, otel.kind = Empty
        );
        self.describe(&span, &members);
        // One name for each part of a set, so that whoever repeats it is refused.
        let id = match number {
            0 => self.set.id.clone(),
            number => format!("{}-{number}", self.set.id),
        };
        let id = TaskId::stored(&id);
        let result = match self.aggregate(&aggregator, &id, &members).instrument(span.clone()).await {
            Ok(None) => return PartEnd::Lost,
            Ok(Some(Ran { rejected, result })) => {
                self.reject(rejected, &mut members).await;
                match result {
                    None => return PartEnd::Done,
                    Some(result) => result,
                }
            }
            Err(error) => Err(error),
        };
        let stored = match result {
            Ok(task) => self.finish(id, task, members).instrument(span.clone()).await,
            Err(error) => Err(error),
        };
        stored.unwrap_or_else(|error| {
            if let Some(traces) = self.workplace.client.traces() {
                traces.failed(&span, &*error);
            }
            let failures = self.failures + 1;
            span.in_scope(|| {
                tracing::error!(error = %error_text(&*error), failures, "aggregator failed; the tasks stay, and are tried again");
            });
            PartEnd::Failed
        })
    }

    /// Tells who takes traces along what the span is about, and of which traces its tasks are.
    fn describe(&self, span: &Span, members: &[(TaskId, TaskMessage)]) {
        let Some(traces) = self.workplace.client.traces() else { return };
        let (queue, group) = (self.queue.as_str(), self.set.group.as_str());
        traces.describe(span, &Traced::Aggregate { queue, group, tasks: members.len() });
        for (_, message) in members.iter().take(MOST_LINKS) {
            traces.link(&message.headers, span);
        }
    }

    /// Runs the aggregator in a task of its own, which may panic, and keeps the set meanwhile; `None` when the set was
    /// lost.
    async fn aggregate(
        &self,
        aggregator: &Arc<Aggregator>,
        id: &TaskId,
        members: &[(TaskId, TaskMessage)],
    ) -> Result<Option<Ran>, BoxError> {
        let settings = self.workplace.groups.settings(&self.queue, aggregator.settings);
        let limit = settings.timeout.unwrap_or(GroupSettings::DEFAULT_TIMEOUT);
        let deadline = Instant::now() + limit;
        let cancellation = CancellationToken::new();
        let ctx = self.context(aggregator, id, limit, cancellation.clone());
        let opened = Members::open(members, self.workplace.client.stores_payloads());
        let aggregator = Arc::clone(aggregator);
        let mut running = JoinSet::new();
        running.spawn(
            async move {
                let Aggregation { rejected, run } = opened.aggregate(&aggregator, ctx);
                let result = match run {
                    Some(run) => Some(run.await),
                    None => None,
                };
                Ran { rejected, result }
            }
            .in_current_span(),
        );
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left.min(EXTEND_INTERVAL), running.join_next()).await {
                Ok(Some(Ok(ran))) => return Ok(Some(ran)),
                Ok(Some(Err(error))) => return Err(broken_off(error)),
                Ok(None) => return Err("the aggregator ended without a result".into()),
                Err(_elapsed) if deadline <= Instant::now() => {
                    cancellation.cancel();
                    return Err(DeadlineExceeded.into());
                }
                Err(_elapsed) => {}
            }
            let until = self.now() + AGGREGATION_TIMEOUT.as_secs().cast_signed();
            match self.workplace.broker.extend_set(&self.queue, &self.set, until).await {
                Ok(true) => {}
                Ok(false) => {
                    cancellation.cancel();
                    return Ok(None);
                }
                Err(error) => {
                    tracing::warn!(error = %error_text(&error), "an aggregation set was not extended");
                }
            }
        }
    }

    /// What the aggregator knows: it stands for the task that is to come.
    fn context(
        &self,
        aggregator: &Aggregator,
        id: &TaskId,
        limit: Duration,
        cancellation: CancellationToken,
    ) -> Ctx {
        let Workplace { broker, client, states, .. } = &*self.workplace;
        let message = TaskMessage {
            task_type: aggregator.name.clone(),
            id: id.as_str().to_owned(),
            queue: self.queue.as_str().to_owned(),
            group_key: self.set.group.clone(),
            ..TaskMessage::default()
        };
        Ctx::new(CtxParts {
            id: id.clone(),
            queue: self.queue.clone(),
            message: Arc::new(message),
            deadline: broker.clock().now().checked_add(limit).ok(),
            cancellation,
            states: Arc::clone(states),
            client: client.clone(),
            blocking: std::sync::OnceLock::new(),
        })
    }

    /// Archives members whose payload cannot be read, or leaves them to newer servers, and takes them off the list.
    async fn reject(&mut self, rejected: Vec<(usize, BoxError)>, members: &mut Vec<(TaskId, TaskMessage)>) {
        let mut archived = Vec::with_capacity(rejected.len());
        let mut rejected = rejected.into_iter().peekable();
        for (position, (id, message)) in std::mem::take(members).into_iter().enumerate() {
            match rejected.next_if(|(rejected, _)| *rejected == position) {
                Some((_, error)) if self.workplace.bad_payloads.leaves_in_group(&error) => self.left += 1,
                Some((_, error)) => archived.push(self.rejected(id, message, error_text(&*error))),
                None => members.push((id, message)),
            }
        }
        self.archive(&archived).await;
    }

    fn rejected(&self, id: TaskId, message: TaskMessage, error_msg: String) -> RejectedMember {
        tracing::error!(
            task_id = %id, queue = %self.queue, group = self.set.group, error = error_msg,
            "a task of a group cannot be aggregated; it was archived"
        );
        let message = TaskMessage { error_msg, last_failed_at: self.now(), ..message };
        RejectedMember { id, message: Some(message) }
    }

    async fn archive(&self, rejected: &[RejectedMember]) {
        for rejected in rejected.chunks(CHUNK) {
            // A set that is lost is told by what comes next.
            persist("archive members of a group", || {
                self.workplace.broker.archive_members(&self.queue, &self.set, rejected)
            })
            .await;
        }
    }

    /// Replaces the members by the task, if there is one.
    async fn finish(
        &self,
        id: TaskId,
        task: Option<Task>,
        members: Vec<(TaskId, TaskMessage)>,
    ) -> Result<PartEnd, BoxError> {
        let mut new = match task {
            Some(task) => Some(self.plan(id.clone(), task)?),
            None => None,
        };
        let finished = members
            .into_iter()
            .map(|(id, message)| FinishedMember { id, unique_key: message.unique_key })
            .collect::<Vec<_>>();
        let are_all = self.all == finished.len();
        loop {
            let Workplace { broker, .. } = &*self.workplace;
            let outcome = persist("finish an aggregation set", || {
                broker.finish_members(&self.queue, &self.set, &finished, are_all, new.as_ref())
            })
            .await;
            match outcome {
                FinishedSet::Done => return Ok(PartEnd::Done),
                FinishedSet::Lost => return Ok(PartEnd::Lost),
                FinishedSet::IdConflict if new.as_ref().is_some_and(|new| id == new.message.id.as_str()) => {
                    // Only this set gives this ID: the task is there already, and its members are left to delete.
                    new = None;
                }
                FinishedSet::IdConflict => {
                    let id = new.map_or(id, |new| TaskId::stored(&new.message.id));
                    return Err(Error::TaskIdConflict { queue: self.queue.clone(), id }.into());
                }
                FinishedSet::Duplicate { holder } => {
                    return Err(Error::DuplicateTask { queue: self.queue.clone(), holder }.into());
                }
            }
        }
    }

    fn plan(&self, id: TaskId, task: Task) -> Result<NewTask, Error> {
        if let Some(other) = task.options.queue.as_ref().filter(|other| **other != self.queue) {
            // Compat: as in Go, and the only way to do it in one step.
            tracing::debug!(queue = %self.queue, %other, "an aggregated task stays in the queue of its group");
        }
        self.workplace.client.plan_aggregated(task, &self.queue, id)
    }
}

/// How an aggregator ended.
struct Ran {
    /// Tasks that it could not be given, by position, and why.
    rejected: Vec<(usize, BoxError)>,
    /// What it returned, if there were others.
    result: Option<AggregateResult>,
}

/// Calls until it works. Whoever waits is dropped when the server ends.
async fn persist<'a, T>(what: &'static str, call: impl Fn() -> BoxFuture<'a, Result<T, BrokerError>>) -> T {
    let mut backoff = Backoff::new(what);
    loop {
        match call().await {
            Ok(value) => {
                backoff.worked();
                return value;
            }
            Err(error) => sleep(backoff.failed(&error)).await,
        }
    }
}

fn broken_off(error: JoinError) -> BoxError {
    match error.try_into_panic() {
        Ok(panic) => Panicked(panic_text(&*panic)).into(),
        Err(error) => error.into(),
    }
}
