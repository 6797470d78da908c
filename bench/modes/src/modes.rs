//! [`Contender`], and the modes that are made of one.

use std::fmt::Display;
use std::future::Future;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::job::Job;
use crate::settings::Settings;
use crate::told::{Handler, Length, report};

/// A library, as an application uses it: defaults, but for what is measured.
pub trait Contender: Clone + Send + Sync + Sized + 'static {
    /// What enqueues, on the Redis at `address` (host:port, or a URL).
    fn connect(address: &str, settings: &Settings) -> impl Future<Output = Result<Self>> + Send;

    /// Enqueues one task.
    fn enqueue(&self, index: usize, job: Job) -> impl Future<Output = Result<()>> + Send;

    /// Enqueues many tasks by one call.
    fn enqueue_all(
        &self,
        _first: usize,
        _jobs: impl Iterator<Item = Job> + Send,
    ) -> impl Future<Output = Result<()>> + Send {
        async { bail!("there is no call that enqueues many tasks") }
    }

    /// Runs a worker with so many slots: calls `started` when it has started, and ends it once `stop` resolves.
    fn serve(
        self,
        slots: usize,
        handler: Handler,
        started: impl FnOnce() -> Result<()> + Send,
        stop: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Runs the mode that arguments name.
pub fn main<C: Contender>(arguments: &[String]) -> ExitCode {
    exit_code(run::<C>(arguments))
}

/// Runs the mode behind the word `child`, or what else the program can do.
pub fn main_or<C: Contender, E: Display>(others: impl FnOnce(&[String]) -> Result<(), E>) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, mode)) if first == "child" => main::<C>(mode),
        _ => exit_code(others(&words)),
    }
}

/// Runs the mode behind the word `child`, for a program that can do nothing else.
pub fn main_only<C: Contender>() -> ExitCode {
    main_or::<C, _>(|_| Err("it can do `child MODE …` only"))
}

/// Says on standard error what went wrong.
pub fn exit_code<E: Display>(done: Result<(), E>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run<C: Contender>(arguments: &[String]) -> Result<()> {
    let (mode, settings) = arguments.split_first().context("no mode is given")?;
    let settings = Settings::read(settings)?;
    let address = std::env::var_os("ASYNQ_BENCH_REDIS")
        .and_then(|address| address.into_string().ok())
        .context("ASYNQ_BENCH_REDIS does not say where Redis is")?;
    // What `#[tokio::main]` makes.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let contender = C::connect(&address, &settings).await?;
        let length = Length::new(&settings);
        match mode.as_str() {
            "enqueue" => enqueue(contender, &settings).await,
            "enqueue-all" => enqueue_all(contender, &settings).await,
            "send" => send(contender, &settings).await,
            "drain" => serve(contender, &settings, Handler::drain(settings.need("tasks")?, length)).await,
            "latency" => serve(contender, &settings, Handler::latency(settings.need("tasks")?, length)).await,
            "worker" => serve(contender, &settings, Handler::nothing(length)).await,
            _ => bail!("there is no mode `{mode}`"),
        }
    })
}

async fn enqueue<C: Contender>(contender: C, settings: &Settings) -> Result<()> {
    let (tasks, bytes) = (settings.need("tasks")?, settings.get("bytes"));
    let next = Arc::new(AtomicUsize::new(0));
    let mut all = JoinSet::new();
    let start = Instant::now();
    for _ in 0..settings.need("callers")? {
        let (contender, next) = (contender.clone(), Arc::clone(&next));
        all.spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= tasks {
                    return anyhow::Ok(());
                }
                contender.enqueue(index, Job::new(index, bytes)).await?;
            }
        });
    }
    ended(all, start).await
}

/// Reports how long these callers have taken, once all have ended.
async fn ended(mut callers: JoinSet<Result<()>>, start: Instant) -> Result<()> {
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    report(&json!({ "seconds": start.elapsed().as_secs_f64() }))
}

async fn enqueue_all<C: Contender>(contender: C, settings: &Settings) -> Result<()> {
    let (tasks, batch) = (settings.need("tasks")?, settings.need("batch")?);
    let (bytes, start) = (settings.get("bytes"), Instant::now());
    // As a caller of `enqueue` does, it runs in a task of the runtime.
    let mut caller = JoinSet::new();
    caller.spawn(async move {
        for first in (0..tasks).step_by(batch) {
            let jobs = (first..tasks.min(first + batch)).map(|index| Job::new(index, bytes));
            contender.enqueue_all(first, jobs).await?;
        }
        anyhow::Ok(())
    });
    ended(caller, start).await
}

/// A task that is to be run later counts from when it is due.
async fn send<C: Contender>(contender: C, settings: &Settings) -> Result<()> {
    let delay_ns = i64::try_from(settings.get("delay_ms"))? * 1_000_000;
    let pause = Duration::from_secs(1) / u32::try_from(settings.need("per_second")?)?;
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for index in 0..settings.need("tasks")? {
        ticks.tick().await;
        let mut job = Job::new(index, settings.get("bytes"));
        job.sent_ns += delay_ns;
        contender.enqueue(index, job).await?;
    }
    report(&json!({ "sent": true }))
}

/// Runs a worker until standard input ends.
async fn serve<C: Contender>(contender: C, settings: &Settings, handler: Handler) -> Result<()> {
    let (end, ended) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // However it ends, the runner is done with us.
        drop(std::io::stdin().read_to_end(&mut rest));
        drop(end);
    });
    let stop = async { drop(ended.await) };
    contender.serve(settings.need("slots")?, handler, || report(&json!({ "ready": true })), stop).await
}
