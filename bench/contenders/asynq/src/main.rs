//! The crate asynq 0.1.8 in the modes of the benchmarks: `child MODE …`.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use asynq::backend::RedisConnectionType;
use asynq::client::Client;
use asynq::config::ServerConfig;
use asynq::server::{Handler as TaskHandler, ServerBuilder};
use asynq::task::Task;
use asynq_bench_modes::{Contender, Handler, Job, Settings};

/// A contender among others.
#[derive(Clone)]
struct Asynq {
    connection: RedisConnectionType,
    client: Arc<Client>,
}

struct Runner(Handler);

#[async_trait::async_trait]
impl TaskHandler for Runner {
    async fn process_task(&self, task: Task) -> asynq::error::Result<()> {
        let handled = self.0.handle_bytes(task.get_payload()).await;
        handled.map_err(|error| asynq::error::Error::other(error.to_string()))
    }
}

impl Contender for Asynq {
    async fn connect(address: &str, _: &Settings) -> Result<Self> {
        let connection = RedisConnectionType::single(format!("redis://{address}/"))?;
        let client = Arc::new(Client::new(connection.clone()).await?);
        Ok(Self { connection, client })
    }

    async fn enqueue(&self, _: usize, job: Job) -> Result<()> {
        let task = Task::new(Job::TYPE, &serde_json::to_vec(&job)?)?;
        self.client.enqueue(task).await.map(|_| ()).map_err(|error| anyhow!("{error:?}"))
    }

    async fn serve(
        self,
        slots: usize,
        handler: Handler,
        started: impl FnOnce() -> Result<()> + Send,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        let config = ServerConfig::new().concurrency(slots);
        let mut server = ServerBuilder::new().redis_config(self.connection).server_config(config).build().await?;
        started()?;
        tokio::select! {
            ended = server.run(Runner(handler)) => ended.map_err(|error| anyhow!("{error:?}")),
            () = stop => Ok(()),
        }
    }
}

fn main() -> ExitCode {
    asynq_bench_modes::main_only::<Asynq>()
}
