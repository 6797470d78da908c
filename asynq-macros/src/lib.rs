//! The [`macro@job`] attribute of asynq. Use it through the facade, as `asynq::job`.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod duration;
mod errors;
mod job;
mod paths;
mod render;
mod suggest;

use proc_macro::TokenStream;

/// Turns an async function into a job: a struct of its arguments that can be enqueued, and a handler that workers
/// run.
///
/// The function stays as it is and can be called directly. Beside it, with the same visibility, comes a struct with
/// the name in camel case and one public field for each argument:
///
/// ```
/// use asynq::{Client, Job, job};
///
/// /// Sends one e-mail.
/// #[job(queue = "critical", retry = 5, timeout = "30s")]
/// async fn send_email(
///     /// Whom it goes to.
///     to: &str,
///     template: u32,
/// ) -> Result<(), std::io::Error> {
///     println!("template {template} to {to}");
///     Ok(())
/// }
///
/// async fn sign_up(client: &Client) -> asynq::Result<()> {
///     SendEmail { to: "ann@example.com".into(), template: 1 }.enqueue(client).await?;
///     SendEmail::new("bob@example.com", 1).enqueue(client).retry(0).await?;
///     Ok(())
/// }
///
/// assert_eq!(SendEmail::NAME, "send_email");
/// let job = SendEmail::new("ann@example.com", 1);
/// assert_eq!(job.encode().unwrap(), r#"{"to":"ann@example.com","template":1}"#);
/// ```
///
/// # Options
///
/// They are the defaults of the job; what is set when enqueuing wins.
///
/// | option | example | meaning |
/// |---|---|---|
/// | `name` | `name = "email:send"` | the task type, which Go programs see too; the name of the function unless given |
/// | `queue` | `queue = "critical"` | the queue; `default` unless given |
/// | `retry` | `retry = 5`, `retry = never` | how often a failed run is repeated; 25 unless given |
/// | `timeout` | `timeout = "30s"` | the time limit of one run; half an hour unless given |
/// | `expires_in` | `expires_in = "1h"` | a deadline, counted from enqueuing |
/// | `unique_for` | `unique_for = "10m"` | refuses an equal task while this one is not done, for at most that long |
/// | `retention` | `retention = "1d"` | how long the task and its result are kept after success |
/// | `group` | `group = "digest"` | the group that its tasks are collected in |
/// | `concurrency` | `concurrency = 4` | how many of them one worker process runs at a time; as many as it has slots unless given |
/// | `layer` | `layer = my_layer()` | a tower layer around the job, inside those of the router and the worker; a tuple for several, the outermost first |
/// | `crate` | `crate = ::my_crate::asynq` | the path of asynq, for a crate that re-exports it |
///
/// Durations are whole seconds, written with the units `d`, `h`, `m` and `s`: `"90s"`, `"1h30m"`. All options are
/// checked when the program is compiled.
///
/// # Arguments
///
/// **In the payload**: each argument is a field, and the payload is a JSON object of them, by name. Their types
/// implement serde's `Serialize` and `Deserialize`. An argument may be a reference: the field owns what the function
/// is lent, so `&str` makes a `String`, `&[T]` a `Vec<T>`, `&Path` a `PathBuf`, and `&T` a `T`. `#[serde(…)]` and
/// documentation on an argument go to the field. A missing `Option` is `None`.
///
/// **Given by the worker**: `Ctx`, `State<T>` and `Option<State<T>>`, recognized by these names, and any type that
/// implements `FromContext` on an argument marked `#[state]` or `#[extract]`. They may be patterns and references too.
/// `#[arg]` puts an argument into the payload whose own type happens to have one of those names.
///
/// ```
/// use asynq::{Ctx, State, job};
///
/// #[derive(Clone)]
/// struct Db;
///
/// #[job(name = "report:make")]
/// async fn make_report(
///     month: u8,
///     #[serde(default)] notes: Vec<String>,
///     State(db): State<Db>,
///     ctx: &Ctx,
/// ) -> Result<usize, String> {
///     println!("attempt {} for month {month}", ctx.retried());
///     drop(db);
///     Ok(notes.len())
/// }
///
/// let job = MakeReport { month: 5, notes: vec![] };
/// # drop(job);
/// ```
///
/// # What it returns
///
/// `()`, or `Result<T, E>`, where `T` is stored as the task's result and `E` is any error type, such as
/// `anyhow::Error`. An error is a failed run; wrapped in `SkipRetry`, `RetryIn` or `Revoke` it says what is to happen
/// to the task.
///
/// A payload that does not fit the arguments can never be run: its task is archived at once.
///
/// # Registration
///
/// A job registers itself when the program is linked. A crate that nothing names is not linked, so a worker whose
/// jobs are in a library has the line `use my_jobs as _;`.
///
/// Task types are compared as text across all programs that share a Redis: give a job another `name` rather than the
/// name of one with other arguments.
#[proc_macro_attribute]
pub fn job(args: TokenStream, item: TokenStream) -> TokenStream {
    job::expand(args.into(), item.into()).into()
}
