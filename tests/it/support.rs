//! What several of these tests use.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq::broker::{Demand, Leased, QueueShare, Settlement, Transition};
use asynq::{
    BoxError, Client, Ctx, QueueName, RetryPolicy, Router, Server, ServerBuilder, TaskId, TaskInfo, TaskState,
};
use asynq_testkit::{RedisServer, eventually};
use tokio::sync::mpsc;

/// A Redis and a client on it.
pub(crate) async fn redis() -> (RedisServer, Client) {
    let redis = RedisServer::start().await;
    let client = Client::connect(&redis.url()).await.unwrap();
    (redis, client)
}

/// What a server that is gone afterwards, and never told of itself, asks of a queue for its only slot.
pub(crate) fn one_of(queue: &str) -> Demand {
    let queues = vec![QueueShare::new(QueueName::new(queue).unwrap(), 1)];
    Demand { server_id: "gone".to_owned(), slots: 1, queues, strict: true, ..Demand::none() }
}

/// Leases the next task of a queue for such a server.
pub(crate) async fn lease(client: &Client, queue: &str) -> Leased {
    client.broker().exchange(&[], &one_of(queue)).await.unwrap().leased.pop().unwrap()
}

/// The end of the run of a leased task.
pub(crate) fn ended(leased: Leased, transition: Transition) -> Settlement {
    let Leased { queue, id, run, lease_until, .. } = leased;
    Settlement { queue, id, run: Some(run), lease_until, transition }
}

/// Ends the run of a leased task.
pub(crate) async fn settle(client: &Client, leased: Leased, transition: Transition) {
    client.broker().exchange(&[ended(leased, transition)], &Demand::none()).await.unwrap();
}

/// A router whose one handler takes every type in `types`, tells each run, and succeeds.
pub(crate) fn telling(types: &[&str]) -> (Router, mpsc::Receiver<Ctx>) {
    doing(types, |_| Ok(()))
}

/// A router whose one handler takes every type in `types`, tells each run, and ends as `result` says.
pub(crate) fn doing(
    types: &[&str],
    result: impl Fn(&Ctx) -> Result<(), BoxError> + Clone + Send + Sync + 'static,
) -> (Router, mpsc::Receiver<Ctx>) {
    let (tell, told) = mpsc::channel(10_000);
    let mut router = Router::new();
    for &pattern in types {
        let (tell, result) = (tell.clone(), result.clone());
        router = router
            .route(pattern, move |ctx: Ctx| {
                let (tell, result) = (tell.clone(), result(&ctx));
                async move {
                    tell.send(ctx).await?;
                    result
                }
            })
            .unwrap();
    }
    (router, told)
}

/// A worker on these queues that tries again after a second.
pub(crate) fn worker(client: &Client, router: Router, queues: &[&str]) -> ServerBuilder {
    Server::builder(client)
        .router(router)
        .queues(queues.iter().map(|&queue| (queue, 1)))
        .concurrency(10)
        .retry_policy(RetryPolicy::Fixed(Duration::from_secs(1)))
}

/// A task as it stands.
pub(crate) async fn info(client: &Client, queue: &str, id: impl AsRef<str>) -> Option<TaskInfo> {
    let (queue, id) = (QueueName::new(queue).unwrap(), TaskId::new(id).unwrap());
    client.broker().task_info(&queue, &id).await.unwrap()
}

/// Waits until a task is in some state.
pub(crate) async fn in_state(
    client: &Client,
    queue: &str,
    id: impl AsRef<str>,
    state: TaskState,
) -> TaskInfo {
    let id = id.as_ref();
    eventually(&format!("task {id} is {state}"), async || {
        info(client, queue, id).await.filter(|info| info.state == state)
    })
    .await
}

/// Waits until a task is gone.
pub(crate) async fn gone(client: &Client, queue: &str, id: impl AsRef<str>) {
    let id = id.as_ref();
    eventually(&format!("task {id} is gone"), async || info(client, queue, id).await.is_none().then_some(()))
        .await;
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// What is logged on one thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Writes down what is logged until the guard is dropped.
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let writer = Mutex::new(self.clone());
        tracing::subscriber::set_default(
            tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish(),
        )
    }

    /// What was written down so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
