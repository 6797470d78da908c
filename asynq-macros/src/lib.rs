//! The attributes [`macro@job`] and [`macro@aggregator`] of asynq, and [`derive@Job`]. Use them through the facade, as `asynq::job`.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod aggregator;
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
/// | `unique_by` | `unique_by(to, template)` | the arguments that make tasks equal; all of them unless given |
/// | `unique_until` | `unique_until = start` | until when an equal task is refused: while this one waits (`start`), until it is done (`success`), or the whole time (`ttl`); `success` unless given |
/// | `retention` | `retention = "1d"` | how long the task and its result are kept after success |
/// | `group` | `group = "digest"` | the group that its tasks are collected in |
/// | `rate` | `rate = "100/s"` | how many of them all worker processes together begin in a second, in a minute (`"10/m"`), in an hour, a day or any duration (`"10/30s"`); the others wait without having failed; as many as there are unless given |
/// | `concurrency` | `concurrency = 4` | how many of them one worker process runs at a time; as many as it has slots unless given |
/// | `blocking` | `blocking` | the function is not `async` and blocks its thread: it runs on one for such work, see below |
/// | `layer` | `layer = my_layer()` | a tower layer around the job, inside those of the router and the worker; a tuple for several, the outermost first |
/// | `cron` | `cron = "0 9 * * mon-fri"` | enqueues the job at these times; may be repeated |
/// | `timezone` | `timezone = "Europe/Rome"` | the time zone of `cron`; the scheduler's unless given, UTC as a rule |
/// | `every` | `every = "10m"` | enqueues the job at fixed intervals |
/// | `backoff` | `backoff = exponential("2s", max = "10m")` | when a failed run is tried again: `fixed("10s")`, `exponential(…)`, or a function `fn(retried: i32, error: &BoxError) -> Duration`; as the worker says unless given, and as in Go unless that says otherwise |
/// | `on_cancel` | `on_cancel = archive` | what becomes of a cancelled run whose handler does not say: `retry` as in Go, `archive` or `delete` |
/// | `defaults` | `defaults = MAIL` | options that several jobs share: a constant of type `JobOptions`; what is said here wins |
/// | `for` | `for = my_jobs::SendEmail` | the function is the handler of a job that is defined elsewhere, see [`derive@Job`] |
/// | `aliases` | `aliases = ["mail:send"]` | other task types that it runs: its earlier names |
/// | `delay` | `delay = "30s"` | the time from enqueuing to the first attempt; none unless given |
/// | `struct` | `struct = "SendMail"` | the name of the struct; the function's in camel case unless given |
/// | `rename_all` | `rename_all = "camelCase"` | how the names of arguments are written in the payload, as in serde |
/// | `transparent` | `transparent` | the payload is the encoding of the only argument, not an object with one field |
/// | `codec` | `codec = GoJson` | how the payload is encoded: `Json` unless given, `GoJson`, `MsgPack`, `Cbor`, `Protobuf`, `Raw`, or a type of yours that implements `Codec` |
/// | `from` | `from = OldSendEmail`, `from(1 = First, 2 = Second)` | what the payload was before this version, see below |
/// | `version` | `version = 3` | the version of the payload's form; 1 unless given, or 2 with `from = …` |
/// | `unregistered` | `unregistered` | runs only where it is named: `Router::jobs(asynq::jobs![SendMail])` |
/// | `derive` | `derive(Debug, Clone)` | what the struct derives; serde's traits alone unless given, for `Debug` puts arguments into logs |
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
/// With the feature `schemars` the job has a JSON Schema, in which arguments are described whose types implement
/// `schemars::JsonSchema`; any other may be anything there. `#[schemars(…)]` on an argument says more, or what it is:
/// `#[schemars(range(min = 1))]`, `#[schemars(with = "String")]`.
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
/// # A struct of your own
///
/// On an `impl`, the attribute makes the struct a job, whose fields are the payload, and its only function with `self`
/// the handler. The other arguments of that function are given by the worker. The struct implements serde's traits.
///
/// ```
/// use asynq::{Ctx, job};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Resize {
///     path: String,
///     width: u32,
/// }
///
/// #[job(name = "image:resize", queue = "images")]
/// impl Resize {
///     async fn run(&self, ctx: &Ctx) -> Result<(), String> {
///         println!("{} to {}, attempt {}", self.path, self.width, ctx.retried());
///         Ok(())
///     }
/// }
/// ```
///
/// # Payloads
///
/// With a `codec` the payload is the encoding of all arguments as one value of serde; with `transparent`, too, it is that
/// of the only argument, which has whatever type the codec encodes: bytes by `Raw`, a message of prost by `Protobuf`.
///
/// An argument that is added to a job in use has `#[serde(default)]`. Any other change of the arguments makes a new version:
///
/// ```
/// use asynq::{Job, job};
/// use serde::{Deserialize, Serialize};
///
/// /// What the arguments were.
/// #[derive(Deserialize, Serialize)]
/// struct OldSendEmail {
///     to: String,
/// }
///
/// impl From<OldSendEmail> for SendEmail {
///     fn from(old: OldSendEmail) -> Self {
///         Self { to: vec![old.to] }
///     }
/// }
///
/// #[job(from = OldSendEmail)]
/// async fn send_email(to: Vec<String>) {
///     println!("to {}", to.join(", "));
/// }
///
/// assert_eq!(SendEmail::VERSION, 2);
/// ```
///
/// The version travels in a header of the task, and each payload is read as what its version was. `TryFrom` does, too.
///
/// # Functions that block
///
/// A thread cannot be stopped. When the time limit of a blocking job is over, or it is cancelled, `Ctx::is_cancelled`
/// tells it so, and the run counts as failed; but its slot is free only when the function has returned. At shutdown
/// its task is put back after the time limit for that, while it may still run.
///
/// ```
/// use asynq::{Ctx, job};
///
/// #[job(blocking, concurrency = 2)]
/// fn count_primes(below: u32, ctx: &Ctx) -> Result<usize, &'static str> {
///     let mut primes: Vec<u32> = Vec::new();
///     for number in 2..below {
///         if ctx.is_cancelled() {
///             return Err("told to stop");
///         }
///         if primes.iter().all(|prime| number % prime > 0) {
///             primes.push(number);
///         }
///     }
///     Ok(primes.len())
/// }
/// ```
///
/// # Schedules
///
/// A job with `cron` or `every` is enqueued by itself, once at each of its times, however many workers run: every
/// server that has the job schedules it too, and the first one wins. `cron` is Go's dialect: five fields, `@daily` and
/// the like, `@every 1h30m`. All arguments in the payload must have a default.
///
/// ```
/// use asynq::{Ctx, job};
///
/// #[job(cron = "0 9 * * mon-fri", cron = "0 12 * * sat", timezone = "Europe/Rome")]
/// async fn morning_report(#[serde(default)] detailed: bool, ctx: &Ctx) {
///     println!("for {:?}, detailed: {detailed}", ctx.scheduled_for());
/// }
/// ```
///
/// # What it returns
///
/// `()`, or `Result<T, E>`, where `T` is stored as the task's result and `E` is any error type, such as
/// `anyhow::Error`. An error is a failed run; wrapped in `SkipRetry`, `RetryIn` or `Revoke` it says what is to happen
/// to the task. An `Outcome`, alone or in a `Result`, stores its bytes as they are.
///
/// A payload that does not fit the arguments can never be run: its task is archived at once, unless the worker is told
/// to put it back for a newer one (`ServerBuilder::bad_payloads`).
///
/// # Registration
///
/// A job registers itself when the program is linked. A crate that nothing names is not linked, so a worker whose
/// jobs are in a library has the line `use my_jobs as _;`, and a test with `asynq::assert_registered!(SendEmail)`.
/// `asynq::jobs()` lists them all, and `asynq::export_catalog()` writes the list as JSON. To choose the jobs of a
/// worker, or where nothing registers itself, name them: `ServerBuilder::jobs(asynq::jobs![SendEmail])`.
///
/// Task types are compared as text across all programs that share a Redis: give a job another `name` rather than the
/// name of one with other arguments.
#[proc_macro_attribute]
pub fn job(args: TokenStream, item: TokenStream) -> TokenStream {
    job::expand(args.into(), item.into()).into()
}

/// Makes a struct a job whose handler is somewhere else: what enqueues it needs nothing of what runs it.
///
/// The struct and its options are in a crate that producers and workers share; the handler is a function in the
/// worker, with `#[job(for = …)]`:
///
/// ```
/// mod contract {
///     use serde::{Deserialize, Serialize};
///
///     /// Sends one e-mail.
///     #[derive(asynq::Job, Deserialize, Serialize)]
///     #[job(name = "email:send", queue = "mail", retry = 5, output(usize))]
///     pub struct SendEmail {
///         pub to: String,
///     }
/// }
///
/// mod worker {
///     use crate::contract::SendEmail;
///     use asynq::job;
///
///     #[job(for = SendEmail, concurrency = 4)]
///     pub async fn send_email(task: SendEmail) -> Result<usize, String> {
///         Ok(task.to.len())
///     }
/// }
///
/// # async fn sign_up(client: &asynq::Client) -> asynq::Result<()> {
/// contract::SendEmail { to: "ann@example.com".into() }.enqueue(client).await?;
/// # Ok(())
/// # }
/// # fn main() {
/// let [handler] = asynq::jobs![worker::send_email];
/// assert_eq!((handler.name, handler.concurrency), ("email:send", Some(4)));
/// # }
/// ```
///
/// The struct implements serde's traits, as it likes. Its task type is its name in snake case unless `name` is given;
/// `output(T)` is the result of the job, `()` unless given, which the handler must return. Options that are about
/// running are on the handler: `aliases`, `concurrency`, `rate`, `layer`, `blocking`, `unregistered`, and schedules; all
/// others are here. `Router::handle(SendEmail::NAME, …)` runs it with a handler that is made by hand.
///
/// Where `#[job]` is imported by name, too, it hides the attribute of the derive: write `#[asynq::job]` there.
#[proc_macro_derive(Job, attributes(job))]
pub fn derive_job(item: TokenStream) -> TokenStream {
    job::expand_derive(item.into()).into()
}

/// Turns an async function into an aggregator: it makes one task of the tasks of a group.
///
/// A task enqueued with a group is not run by itself: it waits for others, until nothing was added to the group for a
/// while, until the oldest has waited long enough, or until there are enough of them. Then the aggregator of their job
/// is given them, oldest first to the second, and what it returns is enqueued in their place, in one step.
///
/// ```
/// use asynq::{aggregator, job};
///
/// #[job(queue = "mail", group = "mails")]
/// async fn send_mail(to: String, line: String) {
///     println!("to {to}: {line}");
/// }
///
/// #[job(queue = "mail")]
/// async fn send_digest(to: String, lines: Vec<String>) {
///     println!("to {to}: {} lines", lines.len());
/// }
///
/// /// One mail instead of many.
/// #[aggregator(grace = "30s", max_delay = "5m", max_size = 100)]
/// async fn digest(group: &str, mails: Vec<SendMail>) -> Result<SendDigest, String> {
///     let lines = mails.into_iter().map(|mail| mail.line).collect();
///     Ok(SendDigest::new(group, lines))
/// }
///
/// # async fn notify(client: &asynq::Client) -> asynq::Result<()> {
/// // Each recipient's mails are a group of their own.
/// SendMail::new("ann@example.com", "hello").enqueue(client).group("ann@example.com").await?;
/// # Ok(())
/// # }
/// ```
///
/// It is registered as jobs are: a server that runs what is `registered()` aggregates with it.
///
/// # Options
///
/// | option | example | meaning |
/// |---|---|---|
/// | `grace` | `grace = "30s"` | a group is ready when no task was added to it for this long; one minute unless given |
/// | `max_delay` | `max_delay = "5m"` | it is ready when its oldest task has waited this long; no limit unless given |
/// | `max_size` | `max_size = 100` | it is ready when it has this many tasks, and no more are made into one; 10,000 at most |
/// | `timeout` | `timeout = "10m"` | the time limit of one call; half an hour unless given |
/// | `queue` | `queue = "mail"` | only for groups of this queue |
/// | `crate` | `crate = ::my_crate::asynq` | the path of asynq, for a crate that re-exports it |
///
/// # Arguments
///
/// - The jobs: `Vec<SendMail>` or `&[SendMail]`. A group may hold tasks of several jobs; each aggregator is given those
///   of its own. A task whose payload is not one of the job is archived, alone.
/// - The name of the group, if it is wanted: `&str` or `String`.
/// - What the worker gives to jobs too: `Ctx`, which here stands for the task that is to come, `State<T>`, and what is
///   marked `#[state]` or `#[extract]`.
///
/// # What it returns
///
/// A job or a `Task`; an `Option` of it, or `()`, where nothing is to be enqueued and the tasks are done with; or a
/// `Result` of any of these. After an error the tasks stay, and are given to it again later.
///
/// What it returns goes to the queue of the group, whatever queue it names.
#[proc_macro_attribute]
pub fn aggregator(args: TokenStream, item: TokenStream) -> TokenStream {
    aggregator::expand(args.into(), item.into()).into()
}
