//! What `#[job]` submits at link time, and the check that names are used once.

use futures_util::future::BoxFuture;

use super::{Ctx, Handler, HandlerResult, OnCancel, Requirement, RetryPolicy};
use crate::job::{JobOptions, JobSchedule};

/// Runs the handler of a registered job on the payload in the context.
pub type RunFn = fn(Ctx) -> BoxFuture<'static, HandlerResult>;

/// A job known at link time. Made by `#[job]`; not meant to be written by hand.
#[derive(Debug)]
pub struct Registration {
    /// The task type.
    pub name: &'static str,
    /// The struct, as written in the source.
    pub job: &'static str,
    /// Default options.
    pub options: JobOptions,
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
    for (first, second) in jobs.iter().zip(jobs.iter().skip(1)) {
        if first.name == second.name {
            return Err(DuplicateJob {
                name: first.name.to_owned(),
                first: first.place(),
                second: second.place(),
            });
        }
    }
    Ok(jobs)
}
