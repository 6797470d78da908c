//! BullMQ's own crate in the modes of the benchmarks: `child MODE …`. Tasks that are done are removed, as asynq does.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use asynq_bench_modes::{Contender, Handler, Job, Settings};
use bullmq::options::RedisConnectionOptions;
use bullmq::types::RemoveOnFinish;
use bullmq::{BulkJob, Error, JobOptions, Queue, QueueOptions, Worker, WorkerOptions};
use serde_json::Value;

const QUEUE: &str = "bench";

/// How long a worker that stops waits for its tasks, in milliseconds.
const PATIENCE: u64 = 5_000;

/// A contender among others.
#[derive(Clone)]
struct BullMq {
    connection: RedisConnectionOptions,
    queue: Arc<Queue>,
}

impl Contender for BullMq {
    async fn connect(address: &str, _: &Settings) -> Result<Self> {
        let connection = RedisConnectionOptions::new().url(format!("redis://{address}"));
        let options = QueueOptions::new()
            .connection(connection.clone())
            .default_job_options(JobOptions::new().remove_on_complete(RemoveOnFinish::Bool(true)));
        Ok(Self { connection, queue: Arc::new(Queue::with_options(QUEUE, options).await?) })
    }

    async fn enqueue(&self, _: usize, job: Job) -> Result<()> {
        self.queue.add("noop", job).await?;
        Ok(())
    }

    async fn enqueue_all(&self, _: usize, jobs: impl Iterator<Item = Job> + Send) -> Result<()> {
        self.queue.add_bulk(jobs.map(|job| BulkJob::new("noop", job)).collect()).await?;
        Ok(())
    }

    async fn serve(
        self,
        slots: usize,
        handler: Handler,
        started: impl FnOnce() -> Result<()> + Send,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        let process = move |job: bullmq::Job, _| {
            let handler = handler.clone();
            async move {
                let job = serde_json::from_value(job.data().clone())?;
                handler.handle(job).await.map_err(|error| Error::ProcessingError(error.to_string()))?;
                Ok(Value::Null)
            }
        };
        let options = WorkerOptions::new().connection(self.connection).concurrency(slots);
        let worker = Worker::with_options(QUEUE, process, options).await?;
        started()?;
        stop.await;
        worker.close(PATIENCE).await?;
        Ok(())
    }
}

fn main() -> ExitCode {
    asynq_bench_modes::main_only::<BullMq>()
}
