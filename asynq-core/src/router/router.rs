//! [`Router`]: which handler runs which task type.

use std::any::TypeId;
use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use super::registration::unique;
use super::{Ctx, Handler, HandlerFn, HandlerNotFound, HandlerResult, Middleware, Registration, registered};
use crate::error::{Error, Result};
use crate::task::QueueName;

/// Which handler runs which task type.
///
/// Jobs match their type exactly. Patterns follow Go's rules: an exact match first, else the longest pattern that
/// is a prefix of the type (`email:` matches `email:daily`). A type that nothing matches goes to the
/// [`fallback`](Self::fallback); without one it fails with [`HandlerNotFound`], which is retried like any error unless
/// the server is told [otherwise](crate::server::UnknownTypes).
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
    fallback: Option<Handler>,
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
        Self::of(registered()?)
    }

    /// Routes these jobs and no others, registered or not: `Router::jobs(asynq::jobs![SendEmail, Resize])`.
    ///
    /// # Errors
    ///
    /// As [`registered`](Self::registered).
    pub fn jobs(jobs: impl IntoIterator<Item = &'static Registration>) -> Result<Self> {
        Self::of(unique(jobs.into_iter().collect())?)
    }

    fn of(jobs: Vec<&'static Registration>) -> Result<Self> {
        if jobs.is_empty() {
            return Err(Error::NoJobs);
        }
        let routed = |job: &'static Registration| {
            let handler = job.handler();
            job.names().map(move |name| (name, (handler.clone(), job)))
        };
        let jobs = jobs.into_iter().flat_map(routed).collect();
        Ok(Self { jobs, ..Self::default() })
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

    /// Runs what no route matches, instead of failing it with [`HandlerNotFound`].
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateFallback`] when there is one already.
    pub fn fallback(mut self, function: impl HandlerFn) -> Result<Self> {
        if self.fallback.is_some() {
            return Err(Error::DuplicateFallback);
        }
        self.fallback = Some(Handler::function(function));
        Ok(self)
    }

    /// All routes of both routers, each with the middleware it has. Middleware for a part of the routes is put around
    /// them before they are merged with the rest.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateRoute`] when both route the same job or pattern; [`Error::DuplicateFallback`] when both have
    /// a fallback.
    pub fn merge(mut self, other: Self) -> Result<Self> {
        let Self { jobs, patterns, fallback } = other;
        let twice = jobs
            .keys()
            .copied()
            .chain(patterns.keys().map(String::as_str))
            .find(|route| self.jobs.contains_key(route) || self.patterns.contains_key(*route));
        if let Some(route) = twice {
            return Err(Error::DuplicateRoute(route.to_owned()));
        }
        if self.fallback.is_some() && fallback.is_some() {
            return Err(Error::DuplicateFallback);
        }
        self.jobs.extend(jobs);
        self.patterns.extend(patterns);
        self.fallback = self.fallback.or(fallback);
        Ok(self)
    }

    /// Puts a middleware around every handler routed so far, the fallback included. The one added last sees a task
    /// first; a job's own `layer` comes after it, and the server's [`layer`](crate::server::ServerBuilder::layer)
    /// before.
    #[must_use]
    pub fn layer(mut self, layer: &impl Middleware) -> Self {
        for (handler, _) in self.jobs.values_mut() {
            *handler = handler.clone().layer(layer);
        }
        for handler in self.patterns.values_mut().chain(&mut self.fallback) {
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
        let job = self.jobs.get(ctx.task_type()).map(|(handler, _)| handler);
        let handler = job
            .or_else(|| self.matching(ctx.task_type()).map(|(_, handler)| handler))
            .or(self.fallback.as_ref());
        if let Some(handler) = handler {
            return handler.call(ctx);
        }
        let error = HandlerNotFound(ctx.task_type().to_owned());
        Box::pin(std::future::ready(Err(error.into())))
    }

    /// Runs a task whose handler ends at once; `None` if it does not.
    #[cfg(feature = "__hot_path")]
    #[doc(hidden)]
    pub fn run_at_once(
        &self,
        client: &crate::client::Client,
        queue: QueueName,
        message: crate::wire::TaskMessage,
    ) -> Option<HandlerResult> {
        let parts = super::context::CtxParts {
            id: crate::task::TaskId::stored(&message.id),
            queue,
            message: std::sync::Arc::new(message),
            deadline: None,
            cancellation: tokio_util::sync::CancellationToken::new(),
            states: std::sync::Arc::default(),
            client: client.clone(),
            blocking: std::sync::OnceLock::new(),
        };
        futures_util::FutureExt::now_or_never(self.call(Ctx::opening(parts).ok()?))
    }

    /// The routed jobs.
    pub(crate) fn registrations(&self) -> Vec<&'static Registration> {
        // A job is here under each of its names.
        self.jobs.iter().filter(|(name, (_, job))| **name == job.name).map(|(_, (_, job))| *job).collect()
    }

    /// How many tasks of each type run at a time, for those jobs that say so.
    pub(crate) fn concurrency(&self) -> BTreeMap<String, usize> {
        let limited =
            self.jobs.iter().filter_map(|(name, (_, job))| Some(((*name).to_owned(), job.concurrency?)));
        limited.collect()
    }

    /// Queues that the routed jobs use by default.
    pub(crate) fn job_queues(&self) -> Vec<QueueName> {
        let mut queues: Vec<QueueName> =
            self.jobs.values().filter_map(|(_, job)| QueueName::new(job.options.queue_name()).ok()).collect();
        queues.sort();
        queues.dedup();
        queues
    }

    /// Refuses what would fail at the first task: a missing shared value, a queue that nothing consumes, a deadline that
    /// comes before the first attempt.
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
            if let (Some(delay), Some(expires_in)) = (job.options.delay, job.options.expires_in)
                && delay >= expires_in
            {
                return Err(Error::NeverInTime {
                    job: job.name.to_owned(),
                    place: job.place(),
                    delay,
                    expires_in,
                });
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::{JobOptions, PayloadForm, PayloadShape};
    use crate::router::{FromContext, Outcome, State};

    struct Pool;

    fn run(_: Ctx) -> BoxFuture<'static, HandlerResult> {
        Box::pin(std::future::ready(Ok(Outcome::default())))
    }

    const fn job(name: &'static str, line: u32) -> Registration {
        Registration {
            name,
            aliases: &[],
            job: "Job",
            options: JobOptions::new(),
            payload: PayloadShape::Fields(&[]),
            schema: || None,
            form: PayloadForm { codec: None, version: 1, earlier: |_| None },
            schedule: None,
            file: "src/jobs.rs",
            line,
            run,
            requires: &[],
            concurrency: None,
            rate: None,
            blocking: false,
            retry_policy: None,
            on_cancel: None,
            layer: None,
        }
    }

    static PLAIN: Registration = job("plain", 1);
    static AGAIN: Registration = job("plain", 9);
    static MAIL: Registration = Registration { options: JobOptions::new().queue("mail"), ..job("mail", 5) };
    static POOLED: Registration = Registration {
        requires: &[<State<std::sync::Arc<Pool>> as FromContext>::requirement],
        ..job("pooled", 7)
    };

    #[test]
    fn a_task_type_used_twice_is_refused_with_both_places() {
        let error = unique(vec![&PLAIN, &MAIL, &AGAIN]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "task type `plain` is registered twice: Job (src/jobs.rs:1) and Job (src/jobs.rs:9); \
             give one of them another `name = \"…\"`"
        );
    }

    #[test]
    fn an_alias_runs_the_job_and_is_taken_like_a_name() {
        static RENAMED: Registration =
            Registration { aliases: &["old"], concurrency: Some(2), ..job("new", 3) };
        static CLASHING: Registration = Registration { aliases: &["plain"], ..job("other", 4) };
        let router = Router::jobs([&RENAMED]).unwrap();
        assert_eq!(router.routes(), ["new", "old"]);
        assert_eq!(router.registrations().len(), 1);
        assert_eq!(router.concurrency(), BTreeMap::from([("new".to_owned(), 2), ("old".to_owned(), 2)]));
        let error = Router::jobs([&PLAIN, &CLASHING]).unwrap_err();
        assert!(
            error.to_string().starts_with("task type `plain` is registered twice: Job (src/jobs.rs:"),
            "{error}"
        );
    }

    #[test]
    fn no_job_at_all_is_refused_with_the_likely_cause() {
        let error = Router::of(Vec::new()).unwrap_err();
        assert!(error.to_string().contains("use my_jobs as _;"), "{error}");
    }

    #[test]
    fn what_would_fail_at_the_first_task_is_refused_before() {
        let router = Router::of(vec![&PLAIN, &POOLED]).unwrap();
        let error = router.check(|_| false, |_| true).unwrap_err();
        assert!(error.to_string().starts_with("job `pooled` at src/jobs.rs:7 needs State<"), "{error}");
        router.check(|id| id == TypeId::of::<std::sync::Arc<Pool>>(), |_| true).unwrap();

        let router = Router::of(vec![&PLAIN, &MAIL]).unwrap();
        assert_eq!(
            router.job_queues().iter().map(QueueName::as_str).collect::<Vec<_>>(),
            ["default", "mail"]
        );
        let error = router.check(|_| true, |queue| queue == "default").unwrap_err();
        assert!(error.to_string().starts_with("job `mail` at src/jobs.rs:5 uses queue `mail`"), "{error}");
    }

    #[test]
    fn a_deadline_before_the_first_attempt_is_refused() {
        const HOUR: Duration = Duration::from_secs(3_600);
        static LATE: Registration =
            Registration { options: JobOptions::new().delay(HOUR).expires_in(HOUR), ..job("late", 3) };
        let error = Router::of(vec![&LATE]).unwrap().check(|_| true, |_| true).unwrap_err();
        assert!(
            error.to_string().starts_with("job `late`, Job (src/jobs.rs:3), is delayed by 1h (`delay`)"),
            "{error}"
        );
    }

    #[test]
    fn jobs_match_exactly_and_patterns_by_longest_prefix() {
        let router = Router::of(vec![&MAIL])
            .unwrap()
            .route("m", async |_: Ctx| ())
            .unwrap()
            .route("mailing", async |_: Ctx| ())
            .unwrap();
        let goes_to = |task_type| router.pattern(task_type);
        assert_eq!(goes_to("mail"), Some("mail"));
        assert_eq!(goes_to("mails"), Some("m"));
        assert_eq!(goes_to("mailing:x"), Some("mailing"));
        assert_eq!(goes_to("M"), None);
        assert!(matches!(router.route("mail", async |_: Ctx| ()), Err(Error::DuplicateRoute(_))));
    }

    #[test]
    fn merged_routers_route_what_both_did_and_nothing_twice() {
        let mail = || Router::of(vec![&MAIL]).unwrap();
        let images = || Router::new().route("image:", async |_: Ctx| ()).unwrap();
        let router = mail().merge(images()).unwrap();
        assert_eq!(router.routes(), ["image:", "mail"]);
        let twice = mail().merge(Router::new().route("mail", async |_: Ctx| ()).unwrap()).unwrap_err();
        assert_eq!(twice.to_string(), "task type pattern `mail` is routed twice");
        let fallback = || Router::new().fallback(async |_: Ctx| ()).unwrap();
        assert!(matches!(fallback().merge(fallback()), Err(Error::DuplicateFallback)));
        assert!(matches!(fallback().fallback(async |_: Ctx| ()), Err(Error::DuplicateFallback)));
        assert!(images().merge(fallback()).unwrap().fallback.is_some());
    }
}
