//! [`Aggregator`]: makes one task of a group.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{AggregateResult, AggregatorRegistration, IntoAggregated, aggregate, boxed_aggregation};
use crate::job::{GroupSettings, Job};
use crate::router::{BoxError, Ctx, Requirement};
use crate::task::Task;

/// Makes one task of the tasks of a group.
///
/// A *typed* one takes the tasks of one job; what a group holds of other jobs goes to theirs. An *untyped* one takes
/// whatever no typed one does. `#[aggregator]` makes a typed one of an async function.
///
/// # Examples
///
/// ```
/// use asynq_core::router::Aggregator;
/// use asynq_core::task::Task;
///
/// let lines = Aggregator::new(|group: String, tasks: Vec<Task>| async move {
///     Task::new("log:write", format!("{} lines of {group}", tasks.len()))
/// });
/// # drop(lines);
/// ```
#[derive(Clone)]
pub struct Aggregator {
    pub(crate) name: String,
    /// The job whose tasks it takes; all tasks when there is none.
    pub(crate) job: Option<&'static str>,
    /// The queue that it is for; every queue when there is none.
    pub(crate) queue: Option<String>,
    pub(crate) settings: GroupSettings,
    pub(crate) registration: Option<&'static AggregatorRegistration>,
    start: Arc<dyn Fn(Ctx, Vec<Task>) -> Aggregation + Send + Sync>,
}

/// Begins to aggregate.
pub type StartFn = fn(Ctx, Vec<Task>) -> Aggregation;

/// An aggregator at work.
pub struct Aggregation {
    /// Tasks, by position, whose payload is not one of the job's, and why.
    pub(crate) rejected: Vec<(usize, BoxError)>,
    /// The aggregator on the others; nothing where there are none.
    pub(crate) run: Option<BoxFuture<'static, AggregateResult>>,
}

impl Aggregator {
    /// An untyped one: a function of the group's name and its tasks, oldest first to the second, with type, payload and headers.
    pub fn new<F, Fut>(function: F) -> Self
    where
        F: Fn(String, Vec<Task>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoAggregated> + Send + 'static,
    {
        Self::starting(None, move |ctx, tasks| {
            let future = function(group_name(&ctx), tasks);
            let run = boxed_aggregation(async move { future.await.into_aggregated() });
            Aggregation { rejected: Vec::new(), run: Some(run) }
        })
    }

    /// A typed one: a function of the group's name and its jobs, oldest first to the second.
    pub fn of<J: Job, F, Fut>(function: F) -> Self
    where
        F: Fn(String, Vec<J>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoAggregated> + Send + 'static,
    {
        Self::starting(Some(J::NAME), move |ctx, tasks| {
            aggregate(tasks, |jobs| {
                let future = function(group_name(&ctx), jobs);
                boxed_aggregation(async move { future.await.into_aggregated() })
            })
        })
    }

    /// One that `#[aggregator]` registered.
    pub fn registered(registration: &'static AggregatorRegistration) -> Self {
        Self {
            name: registration.name.to_owned(),
            queue: registration.queue.map(str::to_owned),
            settings: registration.settings,
            registration: Some(registration),
            ..Self::starting(Some(registration.job), registration.start)
        }
    }

    fn starting(
        job: Option<&'static str>,
        start: impl Fn(Ctx, Vec<Task>) -> Aggregation + Send + Sync + 'static,
    ) -> Self {
        let name = job.map_or_else(|| "untyped".to_owned(), |job| format!("of `{job}`"));
        let settings = GroupSettings::new();
        Self { name, job, queue: None, settings, registration: None, start: Arc::new(start) }
    }

    /// When its groups are ready, where that is not as the queue's or the server's settings say. In a group that holds
    /// tasks of several jobs, the aggregator of the oldest task decides.
    #[must_use]
    pub fn settings(mut self, settings: GroupSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Only for groups of this queue.
    #[must_use]
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.queue = Some(name.into());
        self
    }

    /// Where it was written, for messages.
    pub(crate) fn place(&self) -> String {
        match self.registration {
            Some(registration) => registration.place(),
            None => self.name.clone(),
        }
    }

    pub(crate) fn requires(&self) -> &'static [fn() -> Option<Requirement>] {
        self.registration.map_or(&[], |registration| registration.requires)
    }

    /// Begins. It may panic, as it calls the user's code.
    pub(crate) fn start(&self, ctx: Ctx, tasks: Vec<Task>) -> Aggregation {
        (self.start)(ctx, tasks)
    }
}

fn group_name(ctx: &Ctx) -> String {
    ctx.group().unwrap_or_default().to_owned()
}

impl<F, Fut> From<F> for Aggregator
where
    F: Fn(String, Vec<Task>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoAggregated> + Send + 'static,
{
    fn from(function: F) -> Self {
        Self::new(function)
    }
}

impl fmt::Debug for Aggregator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregator")
            .field("name", &self.name)
            .field("job", &self.job)
            .field("queue", &self.queue)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregation").field("rejected", &self.rejected.len()).finish_non_exhaustive()
    }
}
