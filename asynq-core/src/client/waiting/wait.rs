//! [`Wait`]: waits for a task and gives what it returns.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};

use super::run_ends::Ear;
use super::{Awaited, WaitError};
use crate::broker::Watched;
use crate::client::Client;
use crate::job::FromResult;
use crate::task::{BlankName, QueueName, TaskId, TaskInfo, TaskState};

/// How often the task is looked at without being told to: see [`interval`].
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// How long after a subscription was lost it is made again.
const RESUBSCRIBE: Duration = Duration::from_millis(50);

/// Waits for a task and gives what it returns: set a [timeout](Self::timeout) if you like, then `.await` it. Any process
/// may wait, any number of times.
///
/// A task that one of our workers runs wakes those who wait for it, and an operator who deletes or archives it with the
/// [`Inspector`](crate::inspector::Inspector) does too. All waits of a client share one subscription, and workers
/// publish nothing about tasks for which nobody waits. Go's workers publish nothing at all: besides, the task is looked
/// at from time to time, a quarter of a second after waiting began, then less and less often, down to every five
/// seconds.
///
/// A failure that is retried is not the end; neither is anything else that a task comes back from. While the broker does
/// not answer, waiting goes on; if it still does not when the time is up, that is the error.
///
/// What the job returns is stored with the task for its retention: without one a job that returns a value cannot be
/// waited for ([`WaitError::NoRetention`]), and one that returns `()` only if waiting begins before it is done.
///
/// # Cancel safety
///
/// Dropping it loses nothing: the task goes on, and can be waited for again.
#[must_use = "nothing is waited for until it is awaited"]
pub struct Wait<T> {
    client: Client,
    task: Result<(QueueName, TaskId), BlankName>,
    limit: Option<Duration>,
    job: PhantomData<fn() -> T>,
}

impl<T: Awaited> Wait<T> {
    pub(in crate::client) fn new(client: &Client, task: Result<(QueueName, TaskId), BlankName>) -> Self {
        Self { client: client.clone(), task, limit: None, job: PhantomData }
    }

    /// Waits no longer than this: then [`WaitError::TimedOut`], and the task goes on. With zero, it is looked at once.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    async fn run(self) -> Result<T::Output, WaitError> {
        let Self { client, task, limit, .. } = self;
        let (queue, id) = task?;
        let key = client.broker().keyspace().queue(&queue).task(id.as_str());
        let ear = client.run_ends().of(key);
        let began = Instant::now();
        // A time that no timer can hold is no limit.
        let deadline = limit.and_then(|limit| began.checked_add(limit));
        let mut has_answered = false;
        loop {
            // What is told from here on is heard: it may end between the look and the wait.
            let told = ear.told();
            tokio::pin!(told);
            told.as_mut().enable();
            let is_subscribed = subscribe(&ear, &client).await;
            let seen = match client.broker().watch(&queue, &id).await {
                Ok(Watched::Stored(info)) => {
                    has_answered = true;
                    let state = info.state;
                    if let Some(end) = ended(*info) {
                        return end;
                    }
                    Ok(state)
                }
                Ok(Watched::Done) => return result_of(queue, id, Missing::NotKept),
                Ok(Watched::Missing) => return Err(WaitError::Gone { queue, id }),
                Err(error) if has_answered && error.may_pass() => Err(error),
                Err(error) => return Err(error.into()),
            };
            let now = Instant::now();
            if let (Some(limit), Some(deadline)) = (limit, deadline)
                && now >= deadline
            {
                return Err(match seen {
                    Ok(state) => WaitError::TimedOut { queue, id, limit, state },
                    Err(error) => error.into(),
                });
            }
            let next_look = now + interval(now - began);
            tokio::select! {
                biased;
                () = &mut told => {}
                () = lost(&ear), if is_subscribed => {}
                () = sleep_until(deadline.map_or(next_look, |deadline| deadline.min(next_look))) => {}
            }
        }
    }
}

impl<T: Awaited + 'static> IntoFuture for Wait<T> {
    type Output = Result<T::Output, WaitError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("task", &self.task).field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Whether what is published will be heard. Without it, looking now and then is all there is.
async fn subscribe(ear: &Ear, client: &Client) -> bool {
    match ear.subscribe(&**client.broker()).await {
        Ok(is_subscribed) => is_subscribed,
        Err(error) => {
            tracing::debug!(%error, "cannot listen for the ends of tasks; looking at them instead");
            false
        }
    }
}

/// Reads for all who wait, until the subscription is lost.
async fn lost(ear: &Ear) {
    ear.read().await;
    sleep(RESUBSCRIBE).await;
}

/// How long until the next look after so long a wait: give or take a tenth, so that many who began together do not look
/// at the same instant.
fn interval(waited: Duration) -> Duration {
    (waited / 4).clamp(SHORTEST, LONGEST).mul_f64(fastrand::f64().mul_add(0.2, 0.9))
}

/// What a task gives as it stands; `None` while it goes on.
fn ended<T: FromResult>(info: TaskInfo) -> Option<Result<T, WaitError>> {
    let TaskInfo { queue, id, .. } = info;
    match info.state {
        TaskState::Completed => Some(match info.result {
            Some(result) => {
                T::from_result(Some(&result)).map_err(|source| WaitError::Undecodable { queue, id, source })
            }
            None => result_of(queue, id, Missing::NotStored),
        }),
        TaskState::Archived => {
            Some(Err(WaitError::Failed { queue, id, error: info.last_error, retried: info.retried }))
        }
        _ if T::NEEDS_RESULT && info.retention.is_zero() => Some(Err(WaitError::NoRetention { queue, id })),
        _ => None,
    }
}

/// Why there is no result of a task that succeeded.
#[derive(Clone, Copy)]
enum Missing {
    NotStored,
    NotKept,
}

/// What a task gives that succeeded, and of which there is no result.
fn result_of<T: FromResult>(queue: QueueName, id: TaskId, missing: Missing) -> Result<T, WaitError> {
    T::from_result(None).map_err(|_source| match missing {
        Missing::NotStored => WaitError::NoResult { queue, id },
        Missing::NotKept => WaitError::NoRetention { queue, id },
    })
}
