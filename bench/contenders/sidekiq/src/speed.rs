//! rusty-sidekiq in the modes of the benchmarks.

use std::future::Future;

use anyhow::{Result, anyhow};
use asynq_bench_modes::{Contender, Handler, Job, Settings};
use sidekiq::{Processor, ProcessorConfig, RedisConnectionManager, RedisPool, Worker, WorkerOpts};

/// As many connections as Go's client has on two processors.
const POOL: u32 = 20;

/// A contender among others.
#[derive(Clone)]
pub(crate) struct Sidekiq {
    address: String,
    pool: RedisPool,
}

#[derive(Clone)]
struct Runner(Option<Handler>);

#[async_trait::async_trait]
impl Worker<Job> for Runner {
    fn opts() -> WorkerOpts<Job, Self> {
        WorkerOpts::new().queue("default")
    }

    async fn perform(&self, job: Job) -> sidekiq::Result<()> {
        if let Some(handler) = &self.0 {
            handler.handle(job).await.map_err(|error| sidekiq::Error::Message(error.to_string()))?;
        }
        Ok(())
    }
}

async fn pool(address: &str, size: u32) -> Result<RedisPool> {
    let manager = RedisConnectionManager::new(format!("redis://{address}/"))?;
    Ok(bb8::Pool::builder().max_size(size).build(manager).await?)
}

impl Contender for Sidekiq {
    async fn connect(address: &str, _: &Settings) -> Result<Self> {
        Ok(Self { address: address.to_owned(), pool: pool(address, POOL).await? })
    }

    async fn enqueue(&self, _: usize, job: Job) -> Result<()> {
        Runner::perform_async(&self.pool, job).await.map_err(|error| anyhow!("{error:?}"))
    }

    async fn serve(
        self,
        slots: usize,
        handler: Handler,
        started: impl FnOnce() -> Result<()> + Send,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        // Each slot blocks a connection.
        let connections = pool(&self.address, u32::try_from(slots)? + 5).await?;
        let mut processor = Processor::new(connections, vec!["default".to_owned()])
            .with_config(ProcessorConfig::default().num_workers(slots));
        processor.register(Runner(Some(handler)));
        started()?;
        tokio::select! {
            () = processor.run() => Ok(()),
            () = stop => Ok(()),
        }
    }
}
