//! [`Router`]: which handler runs which task type.

use std::any::TypeId;
use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::{
    BoxError, Ctx, Handler, HandlerFn, HandlerNotFound, HandlerResult, HandlerService, Outcome, Registration,
    registered,
};
use crate::error::{Error, Result};
use crate::task::QueueName;

/// Which handler runs which task type.
///
/// Jobs match their type exactly. Patterns follow Go's rules: an exact match first, else the longest pattern that
/// is a prefix of the type (`email:` matches `email:daily`). A type that nothing matches fails with
/// [`HandlerNotFound`], which is retried like any error.
///
/// # Examples
///
/// ```
/// use asynq_core::router::{Ctx, Router};
///
/// let router = Router::new()
///     .route("email:", async |ctx: Ctx| println!("{} bytes", ctx.payload().len()))
///     .unwrap();
/// assert_eq!(router.pattern("email:daily"), Some("email:"));
/// assert_eq!(router.pattern("sms"), None);
/// ```
#[derive(Debug, Default)]
pub struct Router {
    jobs: BTreeMap<&'static str, (Handler, &'static Registration)>,
    patterns: BTreeMap<String, Handler>,
}

impl Router {
    /// Routes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Routes every job that `#[job]` registered in this program.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateJob`] when two have the same task type, naming both places; [`Error::NoJobs`] when there
    /// is none, which usually means that the crate with the jobs is not linked.
    pub fn registered() -> Result<Self> {
        let jobs = registered()?;
        if jobs.is_empty() {
            return Err(Error::NoJobs);
        }
        let jobs = jobs.into_iter().map(|job| (job.name, (Handler::registered(job.run), job))).collect();
        Ok(Self { jobs, patterns: BTreeMap::new() })
    }

    /// Routes task types that match `pattern` to an async function.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateRoute`] when the pattern is routed already; an invalid option when it is blank.
    pub fn route(self, pattern: impl Into<String>, function: impl HandlerFn) -> Result<Self> {
        self.handle(pattern, Handler::function(function))
    }

    /// Routes task types that match `pattern` to a handler.
    ///
    /// # Errors
    ///
    /// As [`route`](Self::route).
    pub fn handle(mut self, pattern: impl Into<String>, handler: Handler) -> Result<Self> {
        let pattern = pattern.into();
        crate::task::TaskType::new(&pattern)?;
        if self.jobs.contains_key(pattern.as_str()) || self.patterns.contains_key(&pattern) {
            return Err(Error::DuplicateRoute(pattern));
        }
        self.patterns.insert(pattern, handler);
        Ok(self)
    }

    /// Puts a middleware around every handler routed so far. The one added last sees a task first.
    #[must_use]
    pub fn layer<L>(mut self, layer: &L) -> Self
    where
        L: Layer<HandlerService>,
        L::Service: Service<Ctx, Response = Outcome, Error = BoxError> + Clone + Send + Sync + 'static,
        <L::Service as Service<Ctx>>::Future: Send + 'static,
    {
        for (handler, _) in self.jobs.values_mut() {
            *handler = handler.clone().layer(layer);
        }
        for handler in self.patterns.values_mut() {
            *handler = handler.clone().layer(layer);
        }
        self
    }

    /// The pattern or job name that a task type goes to.
    pub fn pattern(&self, task_type: &str) -> Option<&str> {
        if let Some((name, _)) = self.jobs.get_key_value(task_type) {
            return Some(name);
        }
        self.matching(task_type).map(|(pattern, _)| pattern.as_str())
    }

    /// Names and patterns that are routed, sorted.
    pub fn routes(&self) -> Vec<&str> {
        let mut routes: Vec<&str> =
            self.jobs.keys().copied().chain(self.patterns.keys().map(String::as_str)).collect();
        routes.sort_unstable();
        routes
    }

    fn matching(&self, task_type: &str) -> Option<(&String, &Handler)> {
        self.patterns
            .get_key_value(task_type)
            // Of all prefixes of one text, the longest sorts last, and none sorts after the text itself.
            .or_else(|| {
                self.patterns.range(..=task_type.to_owned()).rev().find(|(p, _)| task_type.starts_with(*p))
            })
    }

    /// Runs a task.
    pub(crate) fn call(&self, ctx: Ctx) -> BoxFuture<'static, HandlerResult> {
        let handler = match self.jobs.get(ctx.task_type()) {
            Some((handler, _)) => Some(handler),
            None => self.matching(ctx.task_type()).map(|(_, handler)| handler),
        };
        if let Some(handler) = handler {
            return handler.call(ctx);
        }
        let error = HandlerNotFound(ctx.task_type().to_owned());
        Box::pin(std::future::ready(Err(error.into())))
    }

    /// Queues that the routed jobs use by default.
    pub(crate) fn job_queues(&self) -> Vec<QueueName> {
        let mut queues: Vec<QueueName> =
            self.jobs.values().filter_map(|(_, job)| QueueName::new(job.options.queue_name()).ok()).collect();
        queues.sort();
        queues.dedup();
        queues
    }

    /// Refuses what would fail at the first task: a missing shared value, a queue that nothing consumes.
    pub(crate) fn check(
        &self,
        has_state: impl Fn(TypeId) -> bool,
        consumes: impl Fn(&str) -> bool,
    ) -> Result<()> {
        for (_, job) in self.jobs.values() {
            let place = format!("{}:{}", job.file, job.line);
            for requirement in job.requires.iter().filter_map(|requires| requires()) {
                if !has_state(requirement.type_id) {
                    return Err(Error::MissingState {
                        job: job.name.to_owned(),
                        place,
                        what: format!("State<{}>", requirement.type_name),
                        remedy: "give the server a value by `.state(value)`",
                    });
                }
            }
            let queue = job.options.queue_name();
            if !consumes(queue) {
                return Err(Error::UnconsumedQueue {
                    job: job.name.to_owned(),
                    place,
                    queue: queue.to_owned(),
                });
            }
        }
        Ok(())
    }
}
