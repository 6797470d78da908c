//! [`Heartbeater`]: publishes what this server is and what it runs, for inspectors.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::handle::ServerStatus;
use super::processor::Control;
use super::queues::{Served, wire_queues};
use super::running::Running;
use crate::background::Backoff;
use crate::broker::{Broker, BrokerError};
use crate::telemetry::{RunCounts, RunTimes};
use crate::wire::{ServerInfo, WireTimestamp, WorkerInfo};

/// Time between beats, as in Go.
const INTERVAL: Duration = Duration::from_secs(5);

/// How long a beat is believed, as in Go.
const TIME_TO_LIVE: Duration = Duration::from_secs(10);

/// Time between two tellings of how long runs took.
const RUN_TIMES_INTERVAL: Duration = Duration::from_secs(10);

/// How long they are kept: who looks now and then sees the last ones of a server that has ended.
const RUN_TIMES_AGE: Duration = Duration::from_secs(60);

/// Publishes the server's state until told to stop, then removes it.
pub(super) struct Heartbeater {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) running: Running,
    pub(super) info: ServerInfo,
    pub(super) control: watch::Receiver<Control>,
    pub(super) queues: watch::Receiver<Served>,
    pub(super) cancel_grace: Duration,
    /// What counts the runs, if others are to see how long they took.
    pub(super) run_times: Option<RunCounts>,
}

impl Heartbeater {
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::new("heartbeater");
        let mut delay = Duration::ZERO;
        let mut told = None;
        loop {
            // A change of status or of queues is published at once.
            let woken = stop
                .run_until_cancelled(async {
                    tokio::select! {
                        () = sleep(delay) => {}
                        Ok(()) = self.control.changed() => {}
                        Ok(()) = self.queues.changed() => {}
                    }
                })
                .await;
            if woken.is_none() {
                break;
            }
            delay = match self.beat_and_tell(&mut told).await {
                Ok(()) => {
                    backoff.worked();
                    INTERVAL
                }
                Err(error) => backoff.failed(&error),
            };
        }
        if let Err(error) = self.tell_run_times().await {
            tracing::debug!(%error, "the last run times are lost");
        }
        if let Err(error) = self.broker.clear_server_state(&self.info).await {
            tracing::debug!(%error, "the server's state stays until it expires");
        }
    }

    /// `told` is when run times were told last.
    async fn beat_and_tell(&mut self, told: &mut Option<Instant>) -> Result<(), BrokerError> {
        self.beat().await?;
        if told.is_none_or(|told| told.elapsed() >= RUN_TIMES_INTERVAL) {
            self.tell_run_times().await?;
            *told = Some(Instant::now());
        }
        Ok(())
    }

    /// Tells how long runs took, if it is to, and if there were any.
    async fn tell_run_times(&self) -> Result<(), BrokerError> {
        let Some(counts) = &self.run_times else { return Ok(()) };
        let times = RunTimes::of(counts);
        if times.is_empty() {
            return Ok(());
        }
        let times = Bytes::from(RunTimes::encode(&times));
        self.broker.write_run_times(&self.info, &times, RUN_TIMES_AGE).await
    }

    async fn beat(&mut self) -> Result<(), BrokerError> {
        let status = ServerStatus::from(*self.control.borrow());
        self.info.status = status.to_string();
        self.info.queues = wire_queues(&self.queues.borrow());
        self.tell_overdue();
        let workers: Vec<WorkerInfo> = self
            .running
            .lock()
            .iter()
            .filter(|(_, held)| held.runs())
            .map(|((queue, id), held)| WorkerInfo {
                host: self.info.host.clone(),
                pid: self.info.pid,
                server_id: self.info.server_id.clone(),
                task_id: id.as_str().to_owned(),
                task_type: held.message.task_type.clone(),
                task_payload: held.message.payload.clone(),
                queue: queue.as_str().to_owned(),
                start_time: Some(WireTimestamp::from(held.started)),
                deadline: Some(WireTimestamp::from(held.deadline)),
                unknown: Vec::new(),
            })
            .collect();
        self.info.active_worker_count = i32::try_from(workers.len()).unwrap_or(i32::MAX);
        self.broker.write_server_state(&self.info, &workers, TIME_TO_LIVE).await
    }

    /// Says once of each handler that does not stop, though it was told to, that it does not. Inspectors see it run past
    /// its deadline.
    fn tell_overdue(&self) {
        let now = self.broker.clock().now();
        for ((queue, id), held) in self.running.lock().iter_mut() {
            if !held.is_told_overdue && held.is_overdue(now, self.cancel_grace) {
                held.is_told_overdue = true;
                tracing::warn!(
                    task_id = %id, %queue, task_type = held.message.task_type, started = %held.started,
                    "this handler was told to stop and does not: it blocks its thread, and keeps its slot"
                );
            }
        }
    }
}
