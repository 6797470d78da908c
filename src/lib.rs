//! facade
pub use asynq_core::client::{AsClient, Client, Enqueue};
pub use asynq_core::job::{Codec, CodecError, IntoTask, Job, JobOptions, Json};
pub use asynq_core::router::{
    BoxError, Ctx, ExtractError, FromContext, Handler, IntoOutcome, Outcome, RetryIn, Revoke, Router,
    SkipRetry, State,
};
pub use asynq_core::server::{RetryPolicy, Server, ServerBuilder, run_registered};
pub use asynq_core::task::{Headers, QueueName, Task, TaskId, TaskInfo, TaskOptions, TaskState};
pub use asynq_core::{Error, Result};
pub use asynq_core::{broker, client, clock, env, router, server, task, wire};
