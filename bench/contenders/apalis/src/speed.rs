//! apalis-redis in the modes of the benchmarks.

use std::future::Future;

use anyhow::{Result, anyhow};
use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use asynq_bench_modes::{Contender, Handler, Job, Settings};

/// A contender among others.
#[derive(Clone)]
pub(crate) struct Apalis(RedisStorage<Job>);

async fn handle(job: Job, handler: Data<Handler>) -> Result<(), BoxDynError> {
    handler.handle(job).await.map_err(|error| error.to_string().into())
}

impl Contender for Apalis {
    async fn connect(address: &str, _: &Settings) -> Result<Self> {
        let connection = apalis_redis::connect(format!("redis://{address}/")).await?;
        Ok(Self(RedisStorage::new(connection).with_config(Config::default().queue("bench"))))
    }

    async fn enqueue(&self, _: usize, job: Job) -> Result<()> {
        self.0.clone().push(job).await.map_err(|error| anyhow!("{error:?}"))
    }

    async fn enqueue_all(&self, _: usize, jobs: impl Iterator<Item = Job> + Send) -> Result<()> {
        self.0.clone().push_bulk(jobs.collect()).await.map_err(|error| anyhow!("{error:?}"))
    }

    async fn serve(
        self,
        slots: usize,
        handler: Handler,
        started: impl FnOnce() -> Result<()> + Send,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        // Two processes with one name would be one worker to it.
        let name = format!("bench-{}", std::process::id());
        let worker = WorkerBuilder::new(name).backend(self.0).concurrency(slots).data(handler).build(handle);
        let mut running = tokio::task::JoinSet::new();
        running.spawn(async move { worker.run().await.map_err(|error| anyhow!("{error:?}")) });
        started()?;
        tokio::select! {
            Some(ended) = running.join_next() => ended?,
            () = stop => Ok(()),
        }
    }
}
