//! [`Faults`]: what is to go wrong, and when; put around every handler of a rig.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tower::{Layer, Service};

use crate::router::{BoxError, Ctx, HandlerResult, HandlerService, Outcome};

/// Where in a run the worker dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// The task was taken; its handler has not begun.
    BeforeHandler,
    /// The handler has done its work, but nobody hears of it: the task runs again, so its work is done twice. A job
    /// that must not do that shows it here.
    AfterHandler,
}

/// The error of [`Rig::fail_attempt`](super::Rig::fail_attempt).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InjectedFailure(pub String);

/// The worker died, by [`Rig::crash_attempt`](super::Rig::crash_attempt), while it performed a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the worker died, as `crash_attempt` asked for")]
pub struct WorkerDied;

/// What is to go wrong, and what went on so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    table: Mutex<Table>,
    crash: Notify,
}

#[derive(Debug, Default)]
struct Table {
    /// By task type and run.
    planned: HashMap<(&'static str, u32), Fault>,
    /// By queue and task ID: how often its handler was called, and the last error it returned.
    runs: HashMap<(String, String), (u32, Option<String>)>,
}

#[derive(Clone, Debug)]
enum Fault {
    Fail(String),
    Crash(CrashPoint),
}

impl Faults {
    pub(super) fn fail(&self, task_type: &'static str, nth: u32, error: String) {
        self.lock().planned.insert((task_type, nth), Fault::Fail(error));
    }

    pub(super) fn crash(&self, task_type: &'static str, nth: u32, point: CrashPoint) {
        self.lock().planned.insert((task_type, nth), Fault::Crash(point));
    }

    /// Resolves when a worker is to die.
    pub(super) fn crashed(&self) -> impl Future<Output = ()> {
        self.crash.notified()
    }

    /// Which run of a task was its last, and the error that its handler returned.
    pub(super) fn last_run(&self, queue: &str, id: &str) -> (u32, Option<String>) {
        let run = self.lock().runs.get(&(queue.to_owned(), id.to_owned())).cloned();
        run.unwrap_or_default()
    }

    pub(super) fn layer(self: &Arc<Self>) -> FaultLayer {
        FaultLayer(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, ctx: &Ctx) -> Option<Fault> {
        let mut table = self.lock();
        let run = table.runs.entry(task(ctx)).or_default();
        run.0 += 1;
        run.1 = None;
        let nth = run.0;
        table
            .planned
            .iter()
            .find(|((task_type, run), _)| *task_type == ctx.task_type() && *run == nth)
            .map(|(_, fault)| fault.clone())
    }

    fn end(&self, ctx: &Ctx, result: &HandlerResult) {
        if let Err(error) = result
            && let Some(run) = self.lock().runs.get_mut(&task(ctx))
        {
            run.1 = Some(error.to_string());
        }
    }

    async fn die(&self) -> HandlerResult {
        self.crash.notify_one();
        std::future::pending().await
    }
}

fn task(ctx: &Ctx) -> (String, String) {
    (ctx.queue().as_str().to_owned(), ctx.task_id().as_str().to_owned())
}

/// Puts the faults around a handler.
#[derive(Clone, Debug)]
pub(super) struct FaultLayer(Arc<Faults>);

impl Layer<HandlerService> for FaultLayer {
    type Service = FaultService;

    fn layer(&self, inner: HandlerService) -> FaultService {
        FaultService { faults: Arc::clone(&self.0), inner }
    }
}

#[derive(Clone, Debug)]
pub(super) struct FaultService {
    faults: Arc<Faults>,
    inner: HandlerService,
}

impl Service<Ctx> for FaultService {
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, HandlerResult>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, ctx: Ctx) -> Self::Future {
        let (faults, mut inner) = (Arc::clone(&self.faults), self.inner.clone());
        Box::pin(async move {
            let fault = faults.begin(&ctx);
            let result = match &fault {
                Some(Fault::Fail(error)) => Err(InjectedFailure(error.clone()).into()),
                Some(Fault::Crash(CrashPoint::BeforeHandler)) => return faults.die().await,
                Some(Fault::Crash(CrashPoint::AfterHandler)) | None => inner.call(ctx.clone()).await,
            };
            if matches!(fault, Some(Fault::Crash(CrashPoint::AfterHandler))) {
                return faults.die().await;
            }
            faults.end(&ctx, &result);
            result
        })
    }
}
