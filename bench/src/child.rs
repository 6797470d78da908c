//! Our side of the measurement, in a process of its own: the modes of `bench/go`, by our API.
//!
//! ```text
//! enqueue N P       P callers enqueue N tasks, one call for each
//! enqueue-all N B   one caller enqueues N tasks, B by each call
//! drain N C         a worker with C slots runs N tasks
//! latency C K       a worker with C slots reports how late each of K tasks began
//! worker C          a worker with C slots
//! ```
//!
//! Redis is at `ASYNQ_BENCH_REDIS` (host:port). Results are lines of JSON on standard output. A worker stops when its
//! standard input ends.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::ours;
use crate::payload::{Payload, unix_nanos};

/// Runs one mode.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some((mode, numbers)) = arguments.split_first() else { bail!("no mode given") };
    let numbers: Vec<usize> = numbers
        .iter()
        .map(|number| number.parse().with_context(|| format!("`{number}` is not a number")))
        .collect::<Result<_>>()?;
    let address = std::env::var_os("ASYNQ_BENCH_REDIS")
        .and_then(|address| address.into_string().ok())
        .context("ASYNQ_BENCH_REDIS does not say where Redis is")?;
    // What `#[tokio::main]` makes.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match (mode.as_str(), numbers.as_slice()) {
            ("enqueue", &[tasks, callers]) => enqueue(&address, tasks, callers).await,
            ("enqueue-all", &[tasks, batch]) => enqueue_all(&address, tasks, batch).await,
            ("drain", &[tasks, concurrency]) => serve(&address, concurrency, drain(tasks)).await,
            ("latency", &[concurrency, tasks]) => serve(&address, concurrency, latency(tasks)).await,
            ("worker", &[concurrency]) => serve(&address, concurrency, |_: &[u8]| Ok(())).await,
            _ => bail!("cannot do `{}`", arguments.join(" ")),
        }
    })
}

async fn enqueue(address: &str, tasks: usize, callers: usize) -> Result<()> {
    let client = ours::connect(address).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut all = JoinSet::new();
    let start = Instant::now();
    for _ in 0..callers {
        let (client, next) = (client.clone(), Arc::clone(&next));
        all.spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= tasks {
                    return anyhow::Ok(());
                }
                ours::enqueue(&client, Payload::encode(index)?).await?;
            }
        });
    }
    while let Some(caller) = all.join_next().await {
        caller??;
    }
    report(&json!({ "seconds": start.elapsed().as_secs_f64() }))
}

async fn enqueue_all(address: &str, tasks: usize, batch: usize) -> Result<()> {
    let client = ours::connect(address).await?;
    let start = Instant::now();
    for first in (0..tasks).step_by(batch) {
        let payloads = (first..tasks.min(first + batch)).map(Payload::encode).collect::<Result<_>>()?;
        ours::enqueue_all(&client, payloads).await?;
    }
    report(&json!({ "seconds": start.elapsed().as_secs_f64() }))
}

/// Measures from the start of the first handler to the end of the last one.
fn drain(tasks: usize) -> impl Fn(&[u8]) -> Result<()> + Send + Sync + Clone + 'static {
    const NOT_YET: u64 = u64::MAX;
    let epoch = Instant::now();
    let nanos = move || u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(NOT_YET);
    let counts = Arc::new((AtomicU64::new(NOT_YET), AtomicUsize::new(0)));
    move |bytes| {
        let (first, finished) = &*counts;
        if first.load(Ordering::Relaxed) == NOT_YET {
            first.fetch_min(nanos(), Ordering::Relaxed);
        }
        Payload::decode(bytes)?;
        if finished.fetch_add(1, Ordering::AcqRel) + 1 == tasks {
            let took = nanos() - first.load(Ordering::Relaxed);
            report(&json!({ "seconds": std::time::Duration::from_nanos(took).as_secs_f64() }))?;
        }
        Ok(())
    }
}

/// Measures from before a task is enqueued to the start of its handler.
fn latency(tasks: usize) -> impl Fn(&[u8]) -> Result<()> + Send + Sync + Clone + 'static {
    let lates = Arc::new(Mutex::new(Vec::with_capacity(tasks)));
    move |bytes| {
        let now = unix_nanos();
        let late = std::time::Duration::from_nanos((now - Payload::decode(bytes)?.sent_ns).try_into()?);
        let mut lates = lates.lock().unwrap_or_else(PoisonError::into_inner);
        lates.push(late.as_secs_f64() * 1e3);
        if lates.len() == tasks {
            report(&json!({ "latencies_ms": *lates }))?;
        }
        Ok(())
    }
}

/// Runs a worker until standard input ends.
async fn serve(
    address: &str,
    concurrency: usize,
    handler: impl Fn(&[u8]) -> Result<()> + Send + Sync + Clone + 'static,
) -> Result<()> {
    let client = ours::connect(address).await?;
    let (end, ended) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // However it ends, the runner is done with us.
        drop(std::io::stdin().read_to_end(&mut rest));
        drop(end);
    });
    let stop = async { drop(ended.await) };
    ours::serve(&client, concurrency, handler, || report(&json!({ "ready": true })), stop).await
}

/// Writes one line of JSON.
fn report(value: &Value) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{value}")?;
    output.flush()?;
    Ok(())
}
