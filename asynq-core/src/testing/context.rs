//! [`TestCtx`]: a [`Ctx`] that no server made.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Rig;
use crate::broker::{Broker, MemoryBroker};
use crate::client::Client;
use crate::clock::Clock;
use crate::error::Result;
use crate::job::Job;
use crate::router::{Ctx, CtxParts, StateMap};
use crate::server::Attempted;
use crate::task::{QueueName, Task, TaskId};
use crate::wire::TaskMessage;

/// Makes a [`Ctx`] for calling a job's function directly, or for [`Rig::perform_with`].
///
/// Unless said otherwise it is the first attempt of a task of type `test` in queue `default` with no payload, no
/// headers, no deadline, 25 retries, and a client on a broker of its own in memory. What the handler
/// [writes as a result](Ctx::write_result) is stored there.
///
/// ```
/// use asynq_core::router::Ctx;
/// use asynq_core::testing::TestCtx;
///
/// async fn greet(name: &str, ctx: &Ctx) -> String {
///     match ctx.headers().get("lang").map(String::as_str) {
///         Some("de") => format!("Guten Tag, {name}"),
///         _ => format!("Good day, {name}"),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(greet("Ann", &Ctx::test()).await, "Good day, Ann");
/// let german = TestCtx::new().header("lang", "de").retried(2).build();
/// assert_eq!(greet("Ann", &german).await, "Guten Tag, Ann");
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is made until it is built"]
pub struct TestCtx {
    message: TaskMessage,
    deadline: Option<Timestamp>,
    cancellation: CancellationToken,
    broker: Option<MemoryBroker>,
    client: Option<Client>,
    states: StateMap,
}

/// Cancels the attempt of a [`TestCtx`].
#[derive(Clone, Debug)]
pub struct Cancel(CancellationToken);

impl Cancel {
    /// Asks the handler to stop.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

impl Ctx {
    /// The context of a first attempt, for calling a job's function directly; [`TestCtx`] makes others.
    pub fn test() -> Self {
        TestCtx::new().build()
    }
}

impl Default for TestCtx {
    fn default() -> Self {
        Self::new()
    }
}

impl TestCtx {
    /// The context of a first attempt.
    pub fn new() -> Self {
        let message = TaskMessage {
            task_type: "test".to_owned(),
            id: TaskId::random().as_str().to_owned(),
            queue: QueueName::DEFAULT.to_owned(),
            retry: crate::task::DEFAULT_MAX_RETRY,
            ..TaskMessage::default()
        };
        Self {
            message,
            deadline: None,
            cancellation: CancellationToken::new(),
            broker: None,
            client: None,
            states: StateMap::default(),
        }
    }

    /// The task of this job: its type, its payload, its headers, its queue and the number of its retries.
    ///
    /// # Errors
    ///
    /// As [`Job::to_task`].
    pub fn job<J: Job>(mut self, job: &J) -> Result<Self> {
        // Payloads are opened where tasks are taken: this one is not taken from anywhere.
        let Task { task_type, payload, headers, options, layers: _ } = job.to_task()?;
        self.message.payload = payload.unwrap_or_default();
        self.message.headers.extend(headers);
        task_type.as_str().clone_into(&mut self.message.task_type);
        J::OPTIONS.queue_name().clone_into(&mut self.message.queue);
        self.message.retry = options.max_retry.unwrap_or(self.message.retry);
        self.message.timeout = options.timeout.map_or(0, crate::task::wire_seconds);
        Ok(self)
    }

    /// Enqueues on the broker of this rig, and lives by its clock.
    pub fn on(mut self, rig: &Rig) -> Self {
        self.broker = Some(rig.broker.clone());
        self.client = Some(rig.client().clone());
        self
    }

    /// The task's ID.
    pub fn task_id(mut self, id: impl Into<String>) -> Self {
        self.message.id = id.into();
        self
    }

    /// The payload as stored.
    pub fn payload(mut self, payload: impl Into<bytes::Bytes>) -> Self {
        self.message.payload = payload.into();
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.message.headers.insert(name.into(), value.into());
        self
    }

    /// How often the task was retried before: 0 on the first attempt.
    pub fn retried(mut self, times: u32) -> Self {
        self.message.retried = i32::try_from(times).unwrap_or(i32::MAX);
        self
    }

    /// How often it may be retried.
    pub fn max_retry(mut self, times: u32) -> Self {
        self.message.retry = i32::try_from(times).unwrap_or(i32::MAX);
        self
    }

    /// When this attempt must end.
    pub fn deadline(mut self, at: Timestamp) -> Self {
        self.deadline = Some(at);
        self
    }

    /// How long this attempt may take, in whole seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.message.timeout = crate::task::wire_seconds(limit);
        self
    }

    /// A shared value.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.insert(value);
        self
    }

    /// An attempt that was cancelled before it began.
    pub fn cancelled(self) -> Self {
        self.cancellation.cancel();
        self
    }

    /// What cancels the attempt, for while it runs.
    pub fn cancel(&self) -> Cancel {
        Cancel(self.cancellation.clone())
    }

    /// The context.
    pub fn build(self) -> Ctx {
        Ctx::new(self.into_attempt().parts)
    }

    pub(super) fn into_attempt(self) -> Attempted {
        let Self { message, deadline, cancellation, broker, client, states } = self;
        let broker = broker.unwrap_or_else(|| MemoryBroker::new(Clock::system()));
        let client = client.unwrap_or_else(|| Client::new(Arc::new(broker.clone())));
        broker.hold(&message);
        let limit = (message.timeout > 0).then(|| jiff::SignedDuration::from_secs(message.timeout));
        let timeout = limit.and_then(|limit| broker.clock().now().checked_add(limit).ok());
        let parts = CtxParts {
            id: TaskId::stored(&message.id),
            queue: QueueName::stored(&message.queue),
            message: Arc::new(message),
            deadline: deadline.into_iter().chain(timeout).min(),
            cancellation: cancellation.clone(),
            states: Arc::new(states),
            client,
            blocking: std::sync::OnceLock::new(),
        };
        Attempted { parts, cancellation }
    }
}
