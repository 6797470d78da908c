//! [`Admission`]: limits that hold over all servers: how many tasks run at a time, and how many in a period.

use std::time::Duration;

use async_trait::async_trait;

use super::BrokerError;
use crate::task::TaskId;

/// How long a task that waits for a rate limit keeps its place in line after its turn has come. Also how far ahead a
/// machine's clock may be for its runs to count as they are stamped.
pub const LINE_PATIENCE: Duration = Duration::from_secs(60);

/// Limits that hold over all servers.
#[async_trait]
pub trait Admission {
    /// Lets a task run under a rate limit, now, or says how long it has to wait. Never do more tasks run in any period
    /// than [`Turn::most`], by whichever clocks: time, as the limit sees it, does not go back.
    ///
    /// A task that has to wait gets a place in line: who asks later waits longer, and finds what those before it leave.
    /// A task that waits keeps its place until [`LINE_PATIENCE`] after its turn.
    ///
    /// `None`: it may run.
    async fn take_turn(&self, turn: &Turn<'_>) -> Result<Option<Duration>, BrokerError>;

    /// Takes a token of a semaphore, as `x/rate` of Go asynq does; `false` when all are taken. A task that has one
    /// already keeps it (in Go, unless all are taken).
    async fn acquire_token(&self, token: &Token<'_>) -> Result<bool, BrokerError>;

    /// Gives the token of a task back; `false` when it had none.
    async fn release_token(&self, scope: &str, id: &TaskId) -> Result<bool, BrokerError>;
}

/// A task that asks to run under a rate limit.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// What is limited: all who name it share the limit, and ought to agree on `most` and `period`.
    pub scope: &'a str,
    /// The task that asks, to know it again when it comes back. One ID in two queues counts as one.
    pub id: &'a TaskId,
    /// A name of this run that no other has.
    pub run: &'a str,
    /// How many may run in a period, at least 1.
    pub most: u32,
    /// The period. Counted in microseconds.
    pub period: Duration,
}

/// A task that asks for a token of a semaphore.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// The name of the semaphore.
    pub scope: &'a str,
    /// How many tokens there are, at least 1.
    pub most: u32,
    /// The task.
    pub id: &'a TaskId,
    /// When its token expires if nobody gives it back, Unix seconds.
    pub until: i64,
}
