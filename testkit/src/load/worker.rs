//! [`Worker`]: what runs the tasks of a load, in this process or in one of its own.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::router::{BoxError, Ctx, RetryPolicy, Router, SkipRetry};
use asynq_core::server::{Server, ServerBuilder};

use super::ledger::{Ledger, Step};
use crate::Child;

/// A worker, which does not outlive its test.
#[derive(Debug)]
pub enum Worker {
    /// A server in this process.
    Server(Box<Server>),
    /// A process whose output a [`Ledger`] can read.
    Process(Box<Child>),
}

/// Runs the tasks of a load and notes their runs.
pub fn router(ledger: &Ledger) -> Router {
    let ledger = ledger.clone();
    Router::new()
        .route("load:", move |ctx: Ctx| {
            let ledger = ledger.clone();
            async move { run(&ctx, &ledger).await }
        })
        .unwrap()
}

async fn run(ctx: &Ctx, ledger: &Ledger) -> Result<(), BoxError> {
    let id = ctx.task_id().as_str();
    ledger.note(Step::Begun, id);
    let millis: u64 = String::from_utf8_lossy(ctx.payload()).parse()?;
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    match ctx.task_type() {
        "load:archived" => {
            ledger.note(Step::GivenUp, id);
            Err(SkipRetry::new("never").into())
        }
        "load:retried" if ctx.retried() == 0 => {
            ledger.note(Step::Failed, id);
            Err("once more".into())
        }
        _ => {
            ledger.note(Step::Done, id);
            Ok(())
        }
    }
}

impl Worker {
    /// The setup of a server for the tasks of a load in these queues.
    pub fn builder(client: &Client, ledger: &Ledger, queues: &[&str]) -> ServerBuilder {
        Server::builder(client)
            .router(router(ledger))
            .queues(queues.iter().map(|&queue| (queue, 1)))
            .concurrency(20)
            .prefetch(10)
            .retry_policy(RetryPolicy::Fixed(Duration::from_secs(1)))
    }

    /// Notes what it printed since.
    pub(super) fn read(&self, ledger: &Ledger) {
        if let Self::Process(child) = self {
            ledger.read(child.take_lines());
        }
    }

    /// Ends it as one does who means well.
    pub(super) async fn shutdown(self, ledger: &Ledger) {
        match self {
            Self::Server(server) => server.shutdown().await,
            Self::Process(mut child) => {
                if child.is_running() {
                    child.signal("TERM");
                    assert!(child.ended().await, "a worker ends well");
                }
                ledger.read(child.take_lines());
            }
        }
    }
}
