//! bullmq-rs in the modes of the benchmarks: `child MODE …`.

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use asynq_bench_modes::{Contender, Handler, Job, Settings};
use bullmq_rs::{Queue, QueueBuilder, RedisConnection, WorkerBuilder};

const QUEUE: &str = "bench";

/// A contender among others.
#[derive(Clone)]
struct BullMq {
    connection: RedisConnection,
    queue: Arc<Queue<Job>>,
}

impl Contender for BullMq {
    async fn connect(address: &str, _: &Settings) -> Result<Self> {
        let connection = RedisConnection::new(format!("redis://{address}"));
        let queue = QueueBuilder::new(QUEUE).connection(connection.clone()).build::<Job>().await?;
        Ok(Self { connection, queue: Arc::new(queue) })
    }

    async fn enqueue(&self, _: usize, job: Job) -> Result<()> {
        self.queue.add("noop", job, None).await?;
        Ok(())
    }

    async fn enqueue_all(&self, _: usize, jobs: impl Iterator<Item = Job> + Send) -> Result<()> {
        let jobs = jobs.map(|job| ("noop".to_owned(), job, None)).collect();
        self.queue.add_bulk(jobs).await?;
        Ok(())
    }

    async fn serve(
        self,
        slots: usize,
        handler: Handler,
        started: impl FnOnce() -> Result<()> + Send,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        let worker =
            WorkerBuilder::new(QUEUE).connection(self.connection).concurrency(slots).build::<Job>();
        let running = worker
            .start(move |job| {
                let handler = handler.clone();
                async move { handler.handle(job.data).await.map_err(Box::<dyn Error + Send + Sync>::from) }
            })
            .await?;
        started()?;
        stop.await;
        running.shutdown();
        Ok(())
    }
}

fn main() -> ExitCode {
    asynq_bench_modes::main_only::<BullMq>()
}
