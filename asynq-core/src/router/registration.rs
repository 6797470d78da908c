//! [`Registration`]: what `#[job]` submits at link time, and the check that names are used once.

use futures_util::future::BoxFuture;

use super::{Ctx, Handler, HandlerResult, OnCancel, Requirement, RetryPolicy};
use crate::job::{JobOptions, JobSchedule, PayloadForm, PayloadShape};

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
    /// When a failed one is tried again; `None` for as the server says.
    pub retry_policy: Option<fn() -> RetryPolicy>,
    /// What becomes of a cancelled one; `None` for as the server says.
    pub on_cancel: Option<OnCancel>,
    /// Puts the job's own middleware around its handler.
    pub layer: Option<fn(Handler) -> Handler>,
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
