//! [`ServerBuilder`]: what a server is to do, and Go's defaults for what is not said.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::aggregator::GroupSetup;
use super::concerns::Concern;
use super::health::OnHealth;
use super::server::{Server, Setup, WrapFn};
use super::settle::Rules;
use super::{BadPayloads, Ended, Fate, Health, ServedQueue, UnknownTypes};
use crate::background::host_name;
use crate::broker::ArchiveLimits;
use crate::client::{AsClient, Client};
#[cfg(feature = "redis")]
use crate::env::Settings;
use crate::error::{Error, Result};
use crate::job::GroupSettings;
use crate::payload::Payloads;
use crate::router::{
    Aggregator, BoxError, Middleware, OnCancel, Registration, RetryPolicy, Router, StateMap,
};
use crate::scheduler::{CatchUp, Scheduler};
use crate::task::QueueName;
use crate::telemetry::{Observer, RunTimes};
use crate::wire::{ServerInfo, WireTimestamp};

/// Most tasks ahead of free slots, if nothing is said: enough for a few slots and a round trip of some milliseconds.
const DEFAULT_PREFETCH: usize = 40;

/// Sets up a [`Server`].
///
/// | setting | default | Go's |
/// |---|---|---|
/// | [`queues`](Self::queues) | the queues of all routed jobs, or `default` | `default` |
/// | [`queue_concurrency`](Self::queue_concurrency) | no limit | has none |
/// | [`type_concurrency`](Self::type_concurrency) | as the job's `concurrency` says, or no limit | has none |
/// | [`concurrency`](Self::concurrency) | number of CPUs | the same |
/// | [`prefetch`](Self::prefetch) | 40 | has none |
/// | [`strict`](Self::strict) | false | the same |
/// | [`shutdown_timeout`](Self::shutdown_timeout) | 8 s | the same |
/// | [`retry_policy`](Self::retry_policy) | [`RetryPolicy::Go`] | the same |
/// | [`type_retry_policy`](Self::type_retry_policy) | as the job's `backoff` says, or the server's | has none |
/// | [`is_failure`](Self::is_failure) | every error | the same |
/// | [`on_end`](Self::on_end), [`on_archive`](Self::on_archive) | none | has none |
/// | [`on_error`](Self::on_error) | none | the same (`ErrorHandler`) |
/// | [`observer`](Self::observer) | none | has none |
/// | [`run_times`](Self::run_times) | false | has none |
/// | [`archive_limits`](Self::archive_limits) | 9,999 tasks, 90 days | the same, fixed |
/// | [`release_on_archive`](Self::release_on_archive) | false | the same, fixed |
/// | [`on_cancel`](Self::on_cancel) | [`OnCancel::Retry`] | the same, fixed |
/// | [`type_on_cancel`](Self::type_on_cancel) | as the job's `on_cancel` says, or the server's | has none |
/// | [`layer`](Self::layer) | none | none (`ServeMux.Use`) |
/// | [`unknown_types`](Self::unknown_types) | [`UnknownTypes::Fail`] | the same |
/// | [`bad_payloads`](Self::bad_payloads) | [`BadPayloads::Archive`] | none: a handler's own business |
/// | [`health_check`](Self::health_check) | none | the same |
/// | [`health_interval`](Self::health_interval) | 15 s | the same |
/// | [`cancel_grace`](Self::cancel_grace) | 2 s | none: the handler is not waited for |
/// | [`max_crashes`](Self::max_crashes) | 3 | a crash uses up a retry |
/// | [`janitor_interval`](Self::janitor_interval) | 8 s | the same |
/// | [`aggregator`](Self::aggregator) | those of all jobs, if [`registered`](Self::registered) | none |
/// | [`groups`](Self::groups) | 1 min grace period, no longest delay, 10,000 tasks | the same, and any number of tasks |
/// | [`max_aggregations`](Self::max_aggregations) | 3 | the same |
/// | [`scheduler`](Self::scheduler) | true | none: a scheduler is a program of its own |
/// | [`stored_schedules`](Self::stored_schedules) | false | none |
/// | [`catch_up`](Self::catch_up) | [`CatchUp::None`] | the same |
/// | [`payloads`](Self::payloads) | those of its client | has none |
#[must_use = "a server does nothing until it is run"]
#[expect(clippy::struct_excessive_bools, reason = "settings, each of which is on or off")]
pub struct ServerBuilder {
    broker: BrokerSource,
    router: Result<Router>,
    layers: Vec<WrapFn>,
    states: StateMap,
    pub(super) queues: Option<Vec<(QueueName, u32)>>,
    queue_concurrency: BTreeMap<String, usize>,
    type_concurrency: BTreeMap<String, usize>,
    strict: bool,
    concurrency: Option<usize>,
    prefetch: usize,
    shutdown_timeout: Duration,
    rules: Rules,
    archive_limits: Option<ArchiveLimits>,
    cancel_grace: Duration,
    max_crashes: u32,
    janitor_interval: Duration,
    health_interval: Duration,
    on_health: Option<OnHealth>,
    groups: GroupSetup,
    run_times: bool,
    scheduler: bool,
    stored_schedules: bool,
    catch_up: CatchUp,
    payloads: Option<Payloads>,
    server_id: Option<String>,
    wrong: Option<Error>,
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The broker's URL may hold a password.
        f.debug_struct("ServerBuilder")
            .field("router", &self.router)
            .field("queues", &self.queues)
            .field("strict", &self.strict)
            .field("concurrency", &self.concurrency)
            .field("prefetch", &self.prefetch)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("retry", &self.rules.retry)
            .finish_non_exhaustive()
    }
}

enum BrokerSource {
    Client(Client),
    #[cfg(feature = "redis")]
    Url(String),
}

impl ServerBuilder {
    pub(super) fn new(client: &impl AsClient) -> Self {
        Self::from(BrokerSource::Client(client.as_client().clone()))
    }

    fn from(broker: BrokerSource) -> Self {
        Self {
            broker,
            router: Ok(Router::new()),
            layers: Vec::new(),
            states: StateMap::default(),
            queues: None,
            queue_concurrency: BTreeMap::new(),
            type_concurrency: BTreeMap::new(),
            strict: false,
            concurrency: None,
            prefetch: DEFAULT_PREFETCH,
            shutdown_timeout: Duration::from_secs(8),
            rules: Rules::default(),
            archive_limits: None,
            cancel_grace: Duration::from_secs(2),
            max_crashes: 3,
            janitor_interval: Duration::from_secs(8),
            health_interval: Duration::from_secs(15),
            on_health: None,
            groups: GroupSetup::default(),
            run_times: false,
            scheduler: true,
            stored_schedules: false,
            catch_up: CatchUp::None,
            payloads: None,
            server_id: None,
            wrong: None,
        }
    }

    #[cfg(feature = "redis")]
    pub(super) fn from_env() -> Result<Self> {
        let mut builder = Self::from(BrokerSource::Url(crate::env::redis_url()?));
        let Settings {
            queues,
            concurrency,
            prefetch,
            strict,
            shutdown_timeout,
            scheduler,
            stored_schedules,
            run_times,
        } = Settings::read()?;
        builder.queues = queues;
        builder.concurrency = concurrency;
        builder.prefetch = prefetch.unwrap_or(builder.prefetch);
        builder.strict = strict.unwrap_or(builder.strict);
        builder.shutdown_timeout = shutdown_timeout.unwrap_or(builder.shutdown_timeout);
        builder.scheduler = scheduler.unwrap_or(builder.scheduler);
        builder.stored_schedules = stored_schedules.unwrap_or(builder.stored_schedules);
        builder.run_times = run_times.unwrap_or(builder.run_times);
        Ok(builder)
    }

    /// Which handler runs which task type.
    pub fn router(mut self, router: Router) -> Self {
        self.router = Ok(router);
        self
    }

    /// Runs every job that `#[job]` registered in this program, see [`Router::registered`], with the aggregators that
    /// `#[aggregator]` did.
    pub fn registered(mut self) -> Self {
        self.router = Router::registered();
        self.groups.aggregators.add_registered();
        self
    }

    /// Runs these jobs and no others: `.jobs(asynq::jobs![SendEmail, Resize])`. See [`Router::jobs`].
    pub fn jobs(mut self, jobs: impl IntoIterator<Item = &'static Registration>) -> Self {
        self.router = Router::jobs(jobs);
        self
    }

    /// Puts a middleware around everything that the server runs: tasks that no handler is for pass through it, too. The
    /// one added first sees a task first. See [`Middleware`] for what is one, and for the order among those of the
    /// server, of a router and of a job.
    pub fn layer(mut self, layer: impl Middleware + Send + 'static) -> Self {
        self.layers.push(Box::new(move |handler| handler.layer(&layer)));
        self
    }

    /// What to do with tasks of a type that no handler is for.
    pub fn unknown_types(mut self, unknown: UnknownTypes) -> Self {
        if let UnknownTypes::PutBack { limit: 0, .. } = unknown {
            self.reject("unknown_types", "limit must be 1 or more, got 0".to_owned());
        }
        self.rules.unknown_types = unknown;
        self
    }

    /// What to do with tasks whose payload is not one that their job can read.
    pub fn bad_payloads(mut self, bad: BadPayloads) -> Self {
        if let BadPayloads::PutBack { limit: 0, .. } = bad {
            self.reject("bad_payloads", "limit must be 1 or more, got 0".to_owned());
        }
        self.rules.bad_payloads = bad;
        self
    }

    /// A value that handlers share, as `State<T>`; one of each type, the last wins.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.insert(value);
        self
    }

    /// The queues to take from, and their priorities (1 or more): a queue of priority 6 is chosen six times as
    /// often as one of priority 1 while both have tasks.
    pub fn queues<N: AsRef<str>>(mut self, queues: impl IntoIterator<Item = (N, u32)>) -> Self {
        let mut named = BTreeMap::new();
        for (name, priority) in queues {
            match super::queues::checked(name, priority) {
                Ok((name, priority)) => {
                    named.insert(name, priority);
                }
                Err(wrong) => {
                    self.wrong.get_or_insert(wrong);
                }
            }
        }
        if named.is_empty() {
            self.reject("queues", "name at least one queue".to_owned());
        }
        self.queues = Some(named.into_iter().collect());
        self
    }

    /// Whether a queue is served only while all of higher priority are empty.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// How many tasks run at a time, 1 or more.
    pub fn concurrency(mut self, tasks: usize) -> Self {
        if tasks == 0 {
            self.reject("concurrency", "must be 1 or more, got 0".to_owned());
        }
        self.concurrency = Some(tasks);
        self
    }

    /// How many tasks may be taken ahead of free slots, at most; 40 by default. It is for short tasks and a Redis some way
    /// off: where a task takes less time than a round trip, slots stand empty until the next ones arrive. Ten slots,
    /// 2.5 ms away, run four times as many tasks that do nothing as they would with `prefetch(0)`.
    ///
    /// As many are taken ahead as ended during the last round trip, which another server could hardly run earlier; where
    /// tasks take long, there are none, nor where more than 256 of a queue run on all servers together. A task that was
    /// taken ahead counts as one that runs, for [`queue_concurrency`](Self::queue_concurrency) and
    /// [`type_concurrency`](Self::type_concurrency) too; its timeout begins with its run. It goes back to the front of its
    /// queue, for other servers, when no slot is free for it within eight round trips (10 ms at least, a second at most),
    /// and when this server is to take no more.
    ///
    /// What it costs: a task of higher priority, or a queue that is paused, does not hold up those that are taken
    /// already; and a process that is killed has more tasks to be recovered, each of which counts a crash (see
    /// [`max_crashes`](Self::max_crashes)). With 0, a server holds what it runs and nothing else.
    pub fn prefetch(mut self, tasks: usize) -> Self {
        self.prefetch = tasks;
        self
    }

    /// Runs at most so many tasks of a queue at a time, 1 or more. Of a queue that is full nothing is taken, so its
    /// tasks stay free for other servers. Each server counts its own.
    pub fn queue_concurrency(mut self, queue: impl Into<String>, tasks: usize) -> Self {
        let queue = queue.into();
        if tasks == 0 {
            self.wrong.get_or_insert(super::queues::no_slots(&queue));
        }
        self.queue_concurrency.insert(queue, tasks);
        self
    }

    /// Runs at most so many tasks of a type at a time, 1 or more; the type is matched exactly. It wins over
    /// `#[job(concurrency = …)]`. Each server counts its own.
    ///
    /// Tasks of a type that is full stay where they are, and those behind them are taken. A queue that begins with more
    /// than [`LOOK_AHEAD`](crate::broker::LOOK_AHEAD) tasks of full types waits until one of them has ended: give a
    /// type that comes in floods a queue of its own.
    pub fn type_concurrency(mut self, task_type: impl Into<String>, tasks: usize) -> Self {
        let task_type = task_type.into();
        if tasks == 0 {
            self.wrong.get_or_insert(super::queues::no_slots(&task_type));
        }
        self.type_concurrency.insert(task_type, tasks);
        self
    }

    /// Called with the result of each health check, also of a failed one. What it does should be quick: the next check
    /// waits for it.
    pub fn health_check(mut self, on_health: impl Fn(&Health) + Send + Sync + 'static) -> Self {
        self.on_health = Some(Arc::new(on_health));
        self
    }

    /// Time between health checks, which ask whether the broker answers, and what time it is there. The first is made
    /// at the start (Go's, after one interval).
    pub fn health_interval(mut self, interval: Duration) -> Self {
        self.health_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// How long running tasks may take to finish at shutdown; then they are put back.
    pub fn shutdown_timeout(mut self, limit: Duration) -> Self {
        self.shutdown_timeout = limit;
        self
    }

    /// When a failed task is tried again, unless its type has a policy of its own.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.rules.retry = policy;
        self
    }

    /// When a failed task of this type is tried again; the type is matched exactly. It wins over `#[job(backoff = …)]`.
    pub fn type_retry_policy(mut self, task_type: impl Into<String>, policy: RetryPolicy) -> Self {
        self.rules.by_type.entry(task_type.into()).or_default().retry = Some(policy);
        self
    }

    /// Which errors count as failures. Others are tried again without using up a retry and without being counted.
    pub fn is_failure(mut self, is_failure: impl Fn(&BoxError) -> bool + Send + Sync + 'static) -> Self {
        self.rules.is_failure = Some(Arc::new(is_failure));
        self
    }

    /// Called when a run of a task has ended, whatever came of it: once for each run, by the server that ran it or that
    /// recovered it from a worker that died. May be given several times; all are called, in this order.
    ///
    /// It is called where the server dispatches, so it should be quick: hand on to a channel what takes long. A panic in it
    /// is logged, and disturbs nothing.
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::server::{Fate, Server};
    ///
    /// # let client = Client::in_memory();
    /// let server = Server::builder(&client).on_end(|ended| match (&ended.error, ended.fate) {
    ///     (None, _) => println!("{} took {:?}", ended.task.task_type, ended.took),
    ///     (Some(error), Fate::Archived) => println!("{} is given up: {error}", ended.task.id),
    ///     (Some(error), fate) => println!("{} failed: {error}; {fate:?}", ended.task.id),
    /// });
    /// # drop(server);
    /// ```
    pub fn on_end(mut self, hook: impl Fn(&Ended<'_>) + Send + Sync + 'static) -> Self {
        self.rules.hooks.add(Arc::new(hook));
        self
    }

    /// [`on_end`](Self::on_end) for attempts that failed: Go's `ErrorHandler`, which is not called for tasks of dead
    /// workers. What is [put back](Fate::PutBack) has not failed.
    pub fn on_error(
        self,
        hook: impl Fn(&Ended<'_>, &(dyn StdError + Send + Sync)) + Send + Sync + 'static,
    ) -> Self {
        self.on_end(move |ended| match ended {
            Ended { fate: Fate::PutBack(_), .. } | Ended { error: None, .. } => {}
            Ended { error: Some(error), .. } => hook(ended, *error),
        })
    }

    /// [`on_end`](Self::on_end) for tasks that are given up: the last word on what will not be tried again. The task is
    /// archived right after, or deleted where the [archive](Self::archive_limits) keeps none.
    pub fn on_archive(self, hook: impl Fn(&Ended<'_>) + Send + Sync + 'static) -> Self {
        self.on_end(move |ended| {
            if ended.fate == Fate::Archived {
                hook(ended);
            }
        })
    }

    /// Is told of every run, for metrics: queue, type, how long the task was pending, how the run ended and how long it
    /// took. May be given several times; all are told, in this order.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.rules.observers.add(Arc::new(observer));
        self
    }

    /// Whether to leave in the store, every ten seconds, how long runs took and how long their tasks were pending, by queue
    /// and type: what the charts of the Web UI and [`Inspector::run_times`](crate::inspector::Inspector::run_times) have.
    /// It costs an [`observer`](Self::observer), and one pipelined write while there is anything to tell.
    pub fn run_times(mut self, tell: bool) -> Self {
        self.run_times = tell;
        self
    }

    /// How many archived tasks this server's queues keep, and for how long; [`ArchiveLimits::NONE`] deletes what is given
    /// up. Go servers on the same queues trim them to Go's limits.
    pub fn archive_limits(mut self, limits: ArchiveLimits) -> Self {
        self.archive_limits = Some(limits);
        self
    }

    /// Whether a task that is given up releases its uniqueness lock, so that another one like it can be enqueued. In Go,
    /// and unless set, it keeps the lock until the lock's time is up.
    pub fn release_on_archive(mut self, release: bool) -> Self {
        self.rules.release_on_archive = release;
        self
    }

    /// What becomes of a task whose run was cancelled, where its handler does not say.
    pub fn on_cancel(mut self, fate: OnCancel) -> Self {
        self.rules.on_cancel = fate;
        self
    }

    /// What becomes of a cancelled task of this type; the type is matched exactly. It wins over `#[job(on_cancel = …)]`.
    pub fn type_on_cancel(mut self, task_type: impl Into<String>, fate: OnCancel) -> Self {
        self.rules.by_type.entry(task_type.into()).or_default().on_cancel = Some(fate);
        self
    }

    /// How long a cancelled handler may take to end by itself before it is dropped.
    pub fn cancel_grace(mut self, limit: Duration) -> Self {
        self.cancel_grace = limit;
        self
    }

    /// A task whose worker died this often is archived instead of being run again; 1 or more.
    pub fn max_crashes(mut self, times: u32) -> Self {
        if times == 0 {
            self.reject("max_crashes", "must be 1 or more, got 0".to_owned());
        }
        self.max_crashes = times;
        self
    }

    /// Time between deletions of completed tasks whose retention is over.
    pub fn janitor_interval(mut self, interval: Duration) -> Self {
        self.janitor_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Aggregates groups: their tasks are made into one, as this says. It is an [`Aggregator`], or a function of the
    /// group's name and its tasks, which takes all tasks that no other one does. Without any, tasks in groups are left
    /// to other servers.
    ///
    /// What it returns is enqueued in the group's queue, in one step with the deletion of the tasks it stands for. When
    /// it fails, panics, or takes too long, they stay and it is tried again, after 5 seconds at first and 2 minutes at
    /// last.
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::server::Server;
    /// use asynq_core::task::Task;
    ///
    /// # let client = Client::in_memory();
    /// let server = Server::builder(&client).aggregator(|group: String, tasks: Vec<Task>| async move {
    ///     Task::new("digest", format!("{} tasks of {group}", tasks.len()))
    /// });
    /// # drop(server);
    /// ```
    pub fn aggregator(mut self, aggregator: impl Into<Aggregator>) -> Self {
        self.groups.aggregators.add(aggregator.into());
        self
    }

    /// When groups are ready, unless their queue or their aggregator says otherwise.
    pub fn groups(mut self, settings: GroupSettings) -> Self {
        self.check_groups("groups", settings);
        self.groups.settings = self.groups.settings.overlaid_by(settings);
        self
    }

    /// When groups of this queue are ready, unless their aggregator says otherwise; also if the server takes from it only
    /// later.
    pub fn groups_in(mut self, queue: impl AsRef<str>, settings: GroupSettings) -> Self {
        self.check_groups("groups_in", settings);
        match QueueName::new(queue) {
            Ok(queue) => {
                let of_queue = self.groups.by_queue.entry(queue).or_default();
                *of_queue = of_queue.overlaid_by(settings);
            }
            Err(blank) => self.reject("groups_in", blank.to_string()),
        }
        self
    }

    /// How many groups are aggregated at a time, 1 or more.
    pub fn max_aggregations(mut self, limit: usize) -> Self {
        if limit == 0 {
            self.reject("max_aggregations", "must be 1 or more, got 0".to_owned());
        }
        self.groups.limit = limit;
        self
    }

    fn check_groups(&mut self, name: &'static str, settings: GroupSettings) {
        if let Some(reason) = settings.wrong() {
            self.reject(name, reason);
        }
    }

    /// Whether the server also enqueues its jobs that have a schedule (`#[job(cron = "…")]`). Any number of servers may:
    /// each time, one of them does.
    pub fn scheduler(mut self, enqueue: bool) -> Self {
        self.scheduler = enqueue;
        self
    }

    /// Whether the server, unless it has no [`scheduler`](Self::scheduler), also enqueues the tasks of the
    /// [stored schedules](crate::scheduler::StoredSchedules), which are managed while programs run. It takes up a change
    /// within about a second.
    pub fn stored_schedules(mut self, enqueue: bool) -> Self {
        self.stored_schedules = enqueue;
        self
    }

    /// What becomes of the ticks of its jobs that passed while no server ran.
    pub fn catch_up(mut self, policy: CatchUp) -> Self {
        self.catch_up = policy;
        self
    }

    /// How payloads are read, and stored by what its jobs enqueue: see [`Payloads`]. Default: as its client does.
    pub fn payloads(mut self, payloads: Payloads) -> Self {
        self.payloads = Some(payloads);
        self
    }

    /// The server's ID, instead of a random one: what happens must not depend on it where runs are to be the same.
    #[cfg(test)]
    pub(crate) fn server_id(mut self, id: impl Into<String>) -> Self {
        self.server_id = Some(id.into());
        self
    }

    /// Checks everything, connects, and starts the server.
    ///
    /// # Errors
    ///
    /// Whatever would fail at the first task, before the first task: no job, a job registered twice, a shared value
    /// that is missing, a queue that nothing consumes, a setting out of range, a broker that does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future starts nothing.
    pub async fn start(self) -> Result<Server> {
        Server::start(self.setup(true).await?)
    }

    /// Everything that a server is made of. `check`: whether to refuse what would fail at the first task; the testing
    /// kit runs with what a test gives it.
    pub(super) async fn setup(self, check: bool) -> Result<Setup> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let router = self.router?;
        let queues = self.queues.unwrap_or_else(|| {
            let mut queues = router.job_queues();
            queues.extend(self.groups.aggregators.queues());
            queues.sort();
            queues.dedup();
            if queues.is_empty() {
                queues.push(QueueName::default());
            }
            queues.into_iter().map(|queue| (queue, 1)).collect()
        });
        let has_state = |type_id| self.states.contains(type_id);
        let consumes = |queue: &str| queues.iter().any(|(name, _)| name.as_str() == queue);
        if check {
            router.check(has_state, consumes)?;
            self.groups.aggregators.check(has_state, consumes)?;
            Concern::all(&router.registrations(), &self.groups.aggregators, self.scheduler)
                .iter()
                .for_each(Concern::log);
        }
        let client = client(self.broker, self.archive_limits, self.payloads).await?;
        if check {
            super::store::check(client.broker().as_ref()).await?;
        }
        // Where nothing is kept, no lock is.
        let keeps_none = self.archive_limits.is_some_and(|limits| limits.tasks == 0);
        let concurrency =
            self.concurrency.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let info = ServerInfo {
            host: host_name(),
            pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
            server_id: self.server_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            concurrency: i32::try_from(concurrency).unwrap_or(i32::MAX),
            queues: queues
                .iter()
                .map(|(name, priority)| (name.as_str().to_owned(), priority.cast_signed()))
                .collect(),
            strict_priority: self.strict,
            status: "new".to_owned(),
            start_time: Some(WireTimestamp::from(client.broker().clock().now())),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ServerInfo::default()
        };
        let mut limits = self.queue_concurrency;
        let served = queues.into_iter().map(|(name, priority)| {
            let concurrency = limits.remove(name.as_str());
            ServedQueue { name, priority, concurrency }
        });
        let queues: Vec<ServedQueue> = served.collect();
        if let Some(name) = limits.keys().next() {
            return Err(super::queues::not_served(name));
        }
        let mut rules = self.rules;
        rules.release_on_archive |= keeps_none;
        let run_times = self.run_times.then(RunTimes::counter);
        if let Some(counts) = &run_times {
            rules.observers.add(Arc::new(counts.clone()));
        }
        for job in router.registrations() {
            let of_type = rules.by_type.entry(job.name.to_owned()).or_default();
            of_type.retry = of_type.retry.take().or_else(|| Some(job.retry_policy?()));
            of_type.on_cancel = of_type.on_cancel.or(job.on_cancel);
        }
        let mut type_concurrency = router.concurrency();
        type_concurrency.extend(self.type_concurrency);
        let jobs = if self.scheduler { router.registrations() } else { Vec::new() };
        let has_stored = self.scheduler && self.stored_schedules;
        let scheduler = if has_stored || jobs.iter().any(|job| job.schedule.is_some()) {
            let scheduler = Scheduler::builder(&client).jobs(jobs).stored_schedules(has_stored);
            Some(scheduler.catch_up(self.catch_up).build()?)
        } else {
            None
        };
        Ok(Setup {
            client,
            scheduler,
            router,
            layers: self.layers,
            states: self.states,
            queues,
            strict: self.strict,
            concurrency,
            prefetch: self.prefetch,
            type_concurrency,
            shutdown_timeout: self.shutdown_timeout,
            rules,
            cancel_grace: self.cancel_grace,
            max_crashes: self.max_crashes,
            janitor_interval: self.janitor_interval,
            health_interval: self.health_interval,
            on_health: self.on_health,
            groups: self.groups,
            run_times,
            info,
        })
    }

    /// Runs the server until the process is told to end: SIGTERM or SIGINT shut down gracefully (a second one hurries),
    /// SIGTSTP stops taking tasks.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); or when signals cannot be listened for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops running handlers; their tasks are recovered by other servers.
    pub async fn run(self) -> Result<()> {
        self.start().await?.until_signalled().await
    }

    /// Runs the server until `shutdown` resolves, then shuts down gracefully.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops running handlers; their tasks are recovered by other servers.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let server = self.start().await?;
        shutdown.await;
        server.shutdown().await;
        Ok(())
    }

    fn reject(&mut self, name: &'static str, reason: String) {
        self.wrong.get_or_insert(Error::InvalidSetting { name, reason });
    }
}

/// The client that jobs enqueue by, on a broker that answers.
async fn client(
    broker: BrokerSource,
    archive_limits: Option<ArchiveLimits>,
    payloads: Option<Payloads>,
) -> Result<Client> {
    let mut client = match broker {
        BrokerSource::Client(client) => {
            let broker = client.broker();
            let address = format!("{broker:?}");
            broker.ping().await.map_err(|source| Error::Connect { address, source })?;
            client
        }
        #[cfg(feature = "redis")]
        BrokerSource::Url(url) => Client::connect(&url).await?,
    };
    if let Some(limits) = archive_limits {
        let broker = client.broker().with_archive_limits(limits);
        client = client.on(broker);
    }
    Ok(match payloads {
        Some(payloads) => client.payloads(payloads),
        None => client,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Users spawn these: they must be able to move between threads.
    #[expect(dead_code, reason = "compiling is the test")]
    fn futures_are_send(client: &Client) {
        fn is_send(_: impl Send) {}
        is_send(ServerBuilder::new(client).start());
        is_send(ServerBuilder::new(client).run());
        is_send(ServerBuilder::new(client).run_until(std::future::ready(())));
    }

    #[tokio::test]
    async fn a_broker_of_its_own_takes_nothing_from_the_client() {
        #[derive(Debug)]
        struct Traces;

        impl crate::telemetry::Propagator for Traces {
            fn inject(&self, _: &mut crate::task::Headers) {}

            fn extract(&self, _: &crate::task::Headers, _: &tracing::Span) {}
        }

        let traced = Client::in_memory().propagator(Traces).payloads(Payloads::new().max_size(1));
        let limited = client(BrokerSource::Client(traced), Some(ArchiveLimits::NONE), None).await.unwrap();
        assert!(limited.traces().is_some());
        limited.enqueue(crate::task::Task::new("t", "ab").unwrap()).await.unwrap_err();
    }
}
