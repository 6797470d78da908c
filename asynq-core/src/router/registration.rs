//! [`Registration`]: what `#[job]` submits at link time, and the check that names are used once.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Ctx, Handler, HandlerResult, OnCancel, Requirement, RetryPolicy};
use crate::job::{Codec, Job, JobOptions, JobRate, JobSchedule, PayloadForm, PayloadShape, SchemaFn};
use crate::limit::rate_limited;

/// Runs the handler of a registered job on the payload in the context.
pub type RunFn = fn(Ctx) -> BoxFuture<'static, HandlerResult>;

/// A job known at link time. Made by `#[job]`; not meant to be written by hand.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The task type.
    pub name: &'static str,
    /// Other task types that it runs: its earlier names.
    pub aliases: &'static [&'static str],
    /// The struct, as written in the source.
    pub job: &'static str,
    /// Default options.
    pub options: JobOptions,
    /// What its payload holds.
    pub payload: PayloadShape,
    /// The JSON Schema of its payload, if that is JSON.
    pub schema: SchemaFn,
    /// How its payload is written.
    pub form: PayloadForm,
    /// When a scheduler enqueues it.
    pub schedule: Option<JobSchedule>,
    /// The source file of the function.
    pub file: &'static str,
    /// Its line.
    pub line: u32,
    /// The handler.
    pub run: RunFn,
    /// What the handler needs from the server; each gives `None` when it needs nothing.
    pub requires: &'static [fn() -> Option<Requirement>],
    /// How many of them a server runs at a time; `None` for as many as it has slots.
    pub concurrency: Option<usize>,
    /// How many of them all servers together begin in a period; `None` for as many as there are.
    pub rate: Option<JobRate>,
    /// Whether its function blocks its thread.
    pub blocking: bool,
    /// When a failed one is tried again; `None` for as the server says.
    pub retry_policy: Option<fn() -> RetryPolicy>,
    /// What becomes of a cancelled one; `None` for as the server says.
    pub on_cancel: Option<OnCancel>,
    /// The job's own middleware.
    pub layer: Option<JobLayer>,
}

/// The middleware of one job: `#[job(layer = …)]`.
#[derive(Clone, Copy, Debug)]
pub struct JobLayer {
    /// The expression, as written in the source.
    pub text: &'static str,
    /// Puts it around a handler.
    pub wrap: fn(Handler) -> Handler,
}

inventory::collect!(Registration);

/// A job whose handler is in this program. `#[job]` implements it for the struct that it makes; for a handler with
/// `for = …`, whose struct is somewhere else, it makes a type of the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no handler here",
    label = "no `#[job]` runs it",
    note = "name the struct that `#[job]` made of a function, or the function of a `#[job(for = …)]`"
)]
pub trait HasHandler {
    /// The handler, and all that is said about the job.
    const REGISTRATION: Registration;
}

/// The handlers of some jobs, for [`Router::jobs`](crate::router::Router::jobs): those that are named, instead of all
/// that are linked.
///
/// Each is the struct of a `#[job]`, or the function of a `#[job(for = …)]`.
#[macro_export]
macro_rules! jobs {
    ($($job:ty),* $(,)?) => {
        [$(&<$job as $crate::router::HasHandler>::REGISTRATION),*]
    };
}

/// Panics unless each of these jobs has a registered handler in this program, and no two jobs have the same task type:
/// for a test of a worker, which may have lost a crate of jobs that nothing names.
#[macro_export]
macro_rules! assert_registered {
    ($($job:ty),+ $(,)?) => {
        $crate::__private::assert_registered(&[$(<$job as $crate::job::Job>::NAME),+])
    };
}

/// What [`assert_registered!`](crate::assert_registered) calls.
///
/// # Panics
///
/// As it says.
#[track_caller]
pub fn assert_registered(names: &[&str]) {
    match registered() {
        Ok(jobs) => {
            let is_here = |name: &str| jobs.iter().any(|job| job.names().any(|known| known == name));
            let missing: Vec<_> = names.iter().filter(|name| !is_here(name)).collect();
            assert!(
                missing.is_empty(),
                "no handler is registered in this program for {missing:?}; if it is in a library that nothing else \
                 names, write `use my_jobs as _;`"
            );
        }
        Err(duplicate) => assert!(names.is_empty(), "{duplicate}"),
    }
}

/// Two jobs have one task type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "task type `{name}` is registered twice: {first} and {second}; give one of them another `name = \"…\"`"
)]
pub struct DuplicateJob {
    /// The task type.
    pub name: String,
    /// Struct, file and line of one.
    pub first: String,
    /// Struct, file and line of the other.
    pub second: String,
}

impl Registration {
    /// A handler of the job `J`, which `job` names, at this place.
    pub const fn of<J: Job>(job: &'static str, file: &'static str, line: u32, run: RunFn) -> Self {
        Self {
            name: J::NAME,
            aliases: &[],
            job,
            options: J::OPTIONS,
            payload: J::PAYLOAD,
            schema: match J::Codec::NAME {
                None => J::SCHEMA,
                Some(_) => || None,
            },
            form: PayloadForm::of::<J>(),
            schedule: None,
            file,
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

    /// The same, which runs these task types too.
    #[must_use]
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// The same, which a scheduler enqueues.
    #[must_use]
    pub const fn schedule(mut self, schedule: JobSchedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// The same, which needs this from the server.
    #[must_use]
    pub const fn requires(mut self, requires: &'static [fn() -> Option<Requirement>]) -> Self {
        self.requires = requires;
        self
    }

    /// The same, of which a server runs so many at a time.
    #[must_use]
    pub const fn concurrency(mut self, tasks: usize) -> Self {
        self.concurrency = Some(tasks);
        self
    }

    /// The same, of which so many begin in so many seconds.
    #[must_use]
    pub const fn rate(mut self, most: u32, seconds: u64) -> Self {
        self.rate = Some(JobRate { most, period: Duration::from_secs(seconds) });
        self
    }

    /// The same, whose function blocks its thread.
    #[must_use]
    pub const fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    /// The same, which is tried again as this says.
    #[must_use]
    pub const fn retry_policy(mut self, policy: fn() -> RetryPolicy) -> Self {
        self.retry_policy = Some(policy);
        self
    }

    /// The same, of which this becomes when it is cancelled.
    #[must_use]
    pub const fn on_cancel(mut self, fate: OnCancel) -> Self {
        self.on_cancel = Some(fate);
        self
    }

    /// The same, inside a middleware, which is written so.
    #[must_use]
    pub const fn layer(mut self, text: &'static str, wrap: fn(Handler) -> Handler) -> Self {
        self.layer = Some(JobLayer { text, wrap });
        self
    }

    /// Its handler, inside its own middleware and, around that, its rate limit.
    pub(super) fn handler(&self) -> Handler {
        let handler = Handler::registered(self.run);
        let handler = match self.layer {
            Some(layer) => (layer.wrap)(handler),
            None => handler,
        };
        match self.rate {
            Some(rate) => rate_limited(handler, self.name, rate),
            None => handler,
        }
    }

    /// The task types that it runs: its name first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Struct, file and line, for messages.
    pub fn place(&self) -> String {
        format!("{} ({}:{})", self.job, self.file, self.line)
    }
}

/// All jobs linked into this program, sorted by task type.
///
/// A crate that nothing names is not linked, and its jobs are not here: `use my_jobs as _;` names it.
///
/// # Errors
///
/// [`DuplicateJob`] when two have the same task type.
pub fn registered() -> Result<Vec<&'static Registration>, DuplicateJob> {
    unique(inventory::iter::<Registration>.into_iter().collect())
}

/// The jobs sorted by task type, if no two have the same.
pub(super) fn unique(
    mut jobs: Vec<&'static Registration>,
) -> Result<Vec<&'static Registration>, DuplicateJob> {
    jobs.sort_by_key(|job| (job.name, job.file, job.line));
    let mut names: Vec<_> = jobs.iter().flat_map(|job| job.names().map(move |name| (name, job))).collect();
    names.sort_by_key(|(name, _)| *name);
    for ((name, first), (other, second)) in names.iter().zip(names.iter().skip(1)) {
        if name == other {
            return Err(DuplicateJob {
                name: (*name).to_owned(),
                first: first.place(),
                second: second.place(),
            });
        }
    }
    Ok(jobs)
}
