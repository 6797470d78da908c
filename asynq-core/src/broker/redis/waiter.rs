//! [`RedisWaiter`]: a blocking peek on each queue's pending list.
//!
//! `BLMOVE pending pending RIGHT RIGHT` moves the next task's ID onto itself: the list stays as it is, and every
//! enqueuer, Go's included, wakes it. One connection for each queue, since a blocked connection does nothing else.
//! Where the server has no `BLMOVE` (before 6.2) or does not permit it, and for queues that are paused, whose list
//! is not empty and would answer at once, the list is only looked at now and then.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use redis::{ErrorKind, ServerErrorKind};
use tokio::time::{Instant, sleep};

use super::dial::Answers;
use super::herd::Herd;
use super::link::{Link, Store};
use super::places::MAX_WAITING;
use crate::broker::{BrokerError, BrokerErrorKind, Waiter};
use crate::task::QueueName;

/// How long a peek blocks before it is made anew: the rate at which a lost connection or a missed wake-up is
/// noticed.
const BLOCK: Duration = Duration::from_secs(10);

/// A peek that is answered sooner was not for a task that came meanwhile.
const AT_ONCE: Duration = Duration::from_millis(2);

/// Mean time between looks at a list that cannot be waited for.
const POLL: Duration = Duration::from_secs(1);

/// Mean time between looks at a queue that is paused or full: a worker goes on within a second of its resuming.
const REST: Duration = Duration::from_millis(800);

/// What a watch of one queue came to.
type Watched = (usize, Watching, Result<Seen, BrokerError>);

enum Seen {
    Work,
    Nothing,
}

/// Watches queues on Redis.
pub(super) struct RedisWaiter {
    queues: Vec<Watch>,
    /// Watches that are under way. They live here, not in the future of `wait`, so that dropping that future
    /// neither loses a wake-up nor leaves a blocked command behind.
    running: FuturesUnordered<BoxFuture<'static, Watched>>,
    herd: Arc<Herd>,
}

struct Watch {
    queue: QueueName,
    key: String,
    link: Arc<Link>,
    can_block: Arc<AtomicBool>,
    herd: Arc<Herd>,
    watching: Watching,
}

/// How a queue is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watching {
    Not,
    /// Now and then.
    Resting,
    /// All the time.
    Awake,
}

impl RedisWaiter {
    pub(super) fn new(
        store: &Store,
        response: Duration,
        queues: &[QueueName],
        pending: impl Fn(&QueueName) -> String,
    ) -> Self {
        let (can_block, herd) = (Arc::new(AtomicBool::new(true)), Arc::new(Herd::default()));
        let queues = queues
            .iter()
            .map(|queue| Watch {
                queue: queue.clone(),
                key: pending(queue),
                link: Arc::new(store.link(Answers::within(BLOCK + response), MAX_WAITING)),
                can_block: Arc::clone(&can_block),
                herd: Arc::clone(&herd),
                watching: Watching::Not,
            })
            .collect();
        Self { queues, running: FuturesUnordered::new(), herd }
    }
}

#[async_trait]
impl Waiter for RedisWaiter {
    async fn wait(&mut self, paused: &[QueueName]) -> Result<Option<QueueName>, BrokerError> {
        loop {
            for (at, watch) in self.queues.iter_mut().enumerate() {
                let rests = paused.contains(&watch.queue);
                // One that need not rest any longer is watched beside its rest, which then ends without effect.
                if watch.watching == Watching::Not || (watch.watching == Watching::Resting && !rests) {
                    watch.watching = if rests { Watching::Resting } else { Watching::Awake };
                    self.running.push(watch.start(at));
                }
            }
            let Some((at, watching, seen)) = self.running.next().await else {
                // No queue at all: nothing will ever come.
                return std::future::pending().await;
            };
            let Some(watch) = self.queues.get_mut(at).filter(|watch| watch.watching == watching) else {
                continue;
            };
            watch.watching = Watching::Not;
            if let Seen::Work = seen? {
                return Ok(Some(watch.queue.clone()));
            }
        }
    }

    fn came_in_time(&mut self, has_taken: bool) {
        self.herd.note(has_taken);
    }

    fn let_others_first(&mut self) {
        self.herd.step_back();
    }
}

impl Watch {
    fn start(&self, at: usize) -> BoxFuture<'static, Watched> {
        let watching = self.watching;
        let (link, key) = (Arc::clone(&self.link), self.key.clone());
        let (can_block, herd) = (Arc::clone(&self.can_block), Arc::clone(&self.herd));
        if watching == Watching::Resting {
            // Somebody has to ask whether it still is; the exchange that follows does.
            return Box::pin(async move {
                sleep(jitter(REST)).await;
                (at, watching, Ok(Seen::Work))
            });
        }
        Box::pin(async move {
            if can_block.load(Ordering::Relaxed) {
                match peek_in_turn(&link, &key, &herd).await {
                    Err(Peek::Impossible) => can_block.store(false, Ordering::Relaxed),
                    Err(Peek::Failed(error)) => return (at, watching, Err(error)),
                    Ok(seen) => return (at, watching, Ok(seen)),
                }
            }
            sleep(jitter(POLL)).await;
            (at, watching, look(&link, &key).await)
        })
    }
}

enum Peek {
    Impossible,
    Failed(BrokerError),
}

/// Peeks, and lets others go first who are mostly faster.
async fn peek_in_turn(link: &Link, key: &str, herd: &Herd) -> Result<Seen, Peek> {
    let mut seen = peek(link, key).await?;
    while let Seen::Work = seen
        && let Some(pause) = herd.pause()
    {
        sleep(pause).await;
        let asked = Instant::now();
        seen = peek(link, key).await?;
        if asked.elapsed() < AT_ONCE {
            break;
        }
        // It was gone, and this is another.
        herd.note(false);
    }
    Ok(seen)
}

async fn peek(link: &Link, key: &str) -> Result<Seen, Peek> {
    let mut command = redis::cmd("BLMOVE");
    command.arg(key).arg(key).arg("RIGHT").arg("RIGHT").arg(BLOCK.as_secs());
    match link.query("wait for tasks", &command).await {
        Ok(redis::Value::Nil) => Ok(Seen::Nothing),
        Ok(_) => Ok(Seen::Work),
        Err(error) if is_impossible(&error) => Err(Peek::Impossible),
        Err(error) => Err(Peek::Failed(error)),
    }
}

/// Whether the server has no such command, or does not permit it.
fn is_impossible(error: &BrokerError) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<redis::RedisError>());
    error.kind() != BrokerErrorKind::Unavailable
        && cause.is_some_and(|error| {
            error.code() == Some("NOPERM")
                || (error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
                    && error.detail().is_some_and(|detail| detail.contains("unknown command")))
        })
}

async fn look(link: &Link, key: &str) -> Result<Seen, BrokerError> {
    let length: i64 = link.query("look for tasks", redis::cmd("LLEN").arg(key)).await?;
    Ok(if length > 0 { Seen::Work } else { Seen::Nothing })
}

/// `mean` give or take a tenth, so that many processes do not look at the same instant.
fn jitter(mean: Duration) -> Duration {
    mean.mul_f64(fastrand::f64().mul_add(0.2, 0.9))
}

impl std::fmt::Debug for RedisWaiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.queues.iter().map(|watch| &watch.queue)).finish()
    }
}
