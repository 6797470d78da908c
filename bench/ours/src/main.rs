//! Our side, as an application uses it: defaults, but for what is measured.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use asynq::{
    Aggregator, Client, Codec, Ctx, GroupSettings, IntoTask, Json, Router, Server, Task, TaskOptions,
};
use asynq_bench_modes::{Contender, Handler, Job, Settings, queue_name};

/// What groups are made into.
const BATCH: &str = "bench:batch";

/// A contender among others.
#[derive(Clone)]
struct Ours {
    client: Client,
    settings: Settings,
    kind: Kind,
}

/// What tasks are like. Known before any is made, as an application knows it.
#[derive(Clone)]
struct Kind {
    /// What all have in common.
    options: TaskOptions,
    /// Over how many of them they are spread; 0: none is named.
    queues: usize,
    groups: usize,
}

/// A task that is made when its turn comes.
struct Unmade<'a> {
    kind: &'a Kind,
    index: usize,
    job: Job,
}

impl IntoTask for Unmade<'_> {
    fn into_task(self) -> Result<Task, asynq::Error> {
        self.kind.task(self.index, &self.job)
    }
}

impl Kind {
    fn new(settings: &Settings) -> Self {
        let given = |name| Some(settings.get(name) as u64).filter(|&value| value > 0);
        let mut options = TaskOptions::new();
        if let Some(delay) = given("delay_ms") {
            options = options.process_in(Duration::from_millis(delay));
        }
        if let Some(seconds) = given("retention") {
            options = options.retention(Duration::from_secs(seconds));
        }
        if let Some(seconds) = given("unique") {
            options = options.unique(Duration::from_secs(seconds));
        }
        Self { options, queues: settings.get("queues"), groups: settings.get("group") }
    }

    fn task(&self, index: usize, job: &Job) -> Result<Task, asynq::Error> {
        let mut options = self.options.clone();
        if self.queues > 0 {
            options = options.queue(queue_name(self.queues, index));
        }
        if self.groups > 0 {
            options = options.group(format!("g{}", index % self.groups));
        }
        let payload =
            Json::encode(job).map_err(|source| asynq::Error::Codec { job: Job::TYPE.to_owned(), source })?;
        Ok(Task::new(Job::TYPE, payload).map_err(asynq::InvalidOption::from)?.options(options))
    }
}

impl Contender for Ours {
    async fn connect(address: &str, settings: &Settings) -> Result<Self> {
        let url = if address.contains("://") { address.to_owned() } else { format!("redis://{address}") };
        let kind = Kind::new(settings);
        Ok(Self { client: Client::connect(&url).await?, settings: settings.clone(), kind })
    }

    async fn enqueue(&self, index: usize, job: Job) -> Result<()> {
        self.client.enqueue(self.kind.task(index, &job)?).await?;
        Ok(())
    }

    async fn enqueue_all(&self, first: usize, jobs: impl Iterator<Item = Job> + Send) -> Result<()> {
        // Made while those before them are on their way, as typed jobs are.
        let tasks = (first..).zip(jobs).map(|(index, job)| Unmade { kind: &self.kind, index, job });
        for result in self.client.enqueue_all(tasks).await {
            result?;
        }
        Ok(())
    }

    async fn serve(
        self,
        slots: usize,
        handler: Handler,
        started: impl FnOnce() -> Result<()> + Send,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        let of_groups = handler.clone();
        let router = Router::new()
            .route(Job::TYPE, move |ctx: Ctx| {
                let handler = handler.clone();
                async move { handler.handle_bytes(ctx.payload()).await }
            })?
            .route(BATCH, async |_: Ctx| ())?;
        let queues = self.settings.queues();
        let mut server = Server::builder(&self.client)
            .router(router)
            .queues(queues.iter().map(|name| (name.as_str(), 1)))
            .concurrency(slots);
        if self.settings.is_on("no_prefetch") {
            server = server.prefetch(0);
        }
        if self.settings.is_on("max_size") {
            let settings = GroupSettings::new().max_size(self.settings.get("max_size"));
            server = server.groups(settings).aggregator(Aggregator::new(move |_, tasks: Vec<Task>| {
                let payloads = tasks.iter().map(|task| task.payload().map_or(&[][..], AsRef::as_ref));
                let counted = of_groups.handle_all(payloads);
                async move { counted.map(|()| Task::new(BATCH, "")) }
            }));
        }
        let server = server.start().await?;
        started()?;
        stop.await;
        server.shutdown().await;
        Ok(())
    }
}

fn main() -> ExitCode {
    asynq_bench_modes::main_only::<Ours>()
}
