//! [`Handler`]: what a handler does, and what it tells.

use std::io::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::job::{Job, unix_nanos};
use crate::settings::Settings;

/// What a worker does with a task: takes the time that is wanted, and tells of what is measured.
#[derive(Clone, Debug)]
pub struct Handler {
    length: Length,
    told: Arc<Told>,
}

/// How long a task takes: at least, and how much longer at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    least: Duration,
    spread: Duration,
}

impl Length {
    pub(crate) fn new(settings: &Settings) -> Self {
        let [least, spread] =
            ["sleep_ms", "spread_ms"].map(|name| Duration::from_millis(settings.get(name) as u64));
        Self { least, spread }
    }

    fn of(self, job: &Job) -> Duration {
        self.least + self.spread.mul_f64(job.share())
    }
}

/// What is told once all tasks have come.
#[derive(Debug)]
enum Told {
    Nothing,
    Drain(Drain),
    Lateness { tasks: usize, lates: Mutex<Vec<f64>> },
}

/// From the start of the first handler to the end of the last one.
#[derive(Debug)]
struct Drain {
    tasks: usize,
    epoch: Instant,
    first: AtomicU64,
    finished: AtomicUsize,
}

const NOT_YET: u64 = u64::MAX;

impl Handler {
    pub(crate) fn nothing(length: Length) -> Self {
        Self { length, told: Arc::new(Told::Nothing) }
    }

    pub(crate) fn drain(tasks: usize, length: Length) -> Self {
        let (first, finished) = (AtomicU64::new(NOT_YET), AtomicUsize::new(0));
        let drain = Drain { tasks, epoch: Instant::now(), first, finished };
        Self { length, told: Arc::new(Told::Drain(drain)) }
    }

    pub(crate) fn latency(tasks: usize, length: Length) -> Self {
        let lates = Mutex::new(Vec::with_capacity(tasks));
        Self { length, told: Arc::new(Told::Lateness { tasks, lates }) }
    }

    /// Handles a task.
    ///
    /// # Errors
    ///
    /// Where what is measured cannot be told.
    pub async fn handle(&self, job: Job) -> Result<()> {
        self.begun(&job)?;
        let length = self.length.of(&job);
        if !length.is_zero() {
            tokio::time::sleep(length).await;
        }
        self.ended(1)
    }

    /// Handles a task as it travels.
    ///
    /// # Errors
    ///
    /// Where it is not one of ours, or what is measured cannot be told.
    pub async fn handle_bytes(&self, bytes: &[u8]) -> Result<()> {
        self.handle(serde_json::from_slice(bytes)?).await
    }

    /// Counts tasks that were handled together.
    ///
    /// # Errors
    ///
    /// Where one is not ours, or what is measured cannot be told.
    pub fn handle_all<'a>(&self, payloads: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<()> {
        let count = payloads.len();
        for bytes in payloads {
            self.begun(&serde_json::from_slice(bytes)?)?;
        }
        self.ended(count)
    }

    fn begun(&self, job: &Job) -> Result<()> {
        match &*self.told {
            Told::Nothing => {}
            Told::Drain(drain) => {
                if drain.first.load(Ordering::Relaxed) == NOT_YET {
                    drain.first.fetch_min(drain.nanos(), Ordering::Relaxed);
                }
            }
            Told::Lateness { tasks, lates } => {
                let late = Duration::from_nanos((unix_nanos() - job.sent_ns).max(0).cast_unsigned());
                let mut lates = lates.lock().unwrap_or_else(PoisonError::into_inner);
                lates.push(late.as_secs_f64() * 1e3);
                if lates.len() == *tasks {
                    report(&json!({ "latencies_ms": *lates }))?;
                }
            }
        }
        Ok(())
    }

    fn ended(&self, count: usize) -> Result<()> {
        let Told::Drain(drain) = &*self.told else { return Ok(()) };
        let before = drain.finished.fetch_add(count, Ordering::AcqRel);
        if before < drain.tasks && before + count >= drain.tasks {
            let took = drain.nanos() - drain.first.load(Ordering::Relaxed);
            report(&json!({ "seconds": Duration::from_nanos(took).as_secs_f64() }))?;
        }
        Ok(())
    }
}

impl Drain {
    fn nanos(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(NOT_YET)
    }
}

/// Writes one line of JSON.
pub(crate) fn report(value: &Value) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{value}")?;
    output.flush()?;
    Ok(())
}
