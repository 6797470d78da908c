//! [`BulkChange`]: running, archiving or deleting all tasks of a collection.

use std::future::IntoFuture;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Collection, Inspector};
use crate::broker::{Broker, Change};
use crate::error::{Error, Result};
use crate::task::{BlankName, InvalidOption, QueueName};

/// How many tasks one call changes. Each call is atomic; between two of them, others have their turn.
const CHUNK: usize = 100;

/// A change to all tasks of a collection: await it.
///
/// It takes them part by part, a hundred at a time, from the front, and ends when the collection is empty or as many
/// were taken as stood there at the beginning: what others put there meanwhile may be left.
///
/// # Errors
///
/// [`Error::InvalidOption`] where the collection makes no sense for the change; [`Error::QueueNotFound`],
/// [`Error::Broker`]: what was changed until then stays changed.
///
/// # Cancel safety
///
/// Dropped half-way, any part of the tasks may be changed; none is lost.
#[must_use = "nothing is changed until it is awaited"]
pub struct BulkChange {
    broker: Arc<dyn Broker>,
    queue: Result<QueueName, BlankName>,
    collection: Collection,
    change: Change,
    watch: Option<Box<dyn FnMut(Progress) -> ControlFlow<()> + Send>>,
}

/// How far a bulk change is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Tasks changed so far.
    pub changed: usize,
    /// IDs removed so far that had no task there.
    pub dropped: usize,
    /// How many the collection still holds.
    pub left: usize,
}

impl BulkChange {
    pub(super) fn new(
        inspector: &Inspector,
        queue: impl AsRef<str>,
        collection: Collection,
        change: Change,
    ) -> Self {
        let broker = Arc::clone(&inspector.broker);
        Self { broker, queue: QueueName::new(queue), collection, change, watch: None }
    }

    /// Calls `watch` after each part; [`ControlFlow::Break`] ends it there.
    pub fn watch(mut self, watch: impl FnMut(Progress) -> ControlFlow<()> + Send + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    async fn run(mut self) -> Result<Progress> {
        let queue = self.queue.clone()?;
        allowed(self.change, &self.collection)?;
        if !self.broker.queue_exists(&queue).await? {
            return Err(Error::QueueNotFound { queue });
        }
        let mut progress = Progress::default();
        let mut wanted = usize::MAX;
        loop {
            let limit = CHUNK.min(wanted);
            let part = self.broker.change_first(&queue, &self.collection, self.change, limit).await?;
            let taken = part.changed + part.dropped;
            progress.changed += part.changed;
            progress.dropped += part.dropped;
            progress.left = part.left;
            // The first call tells how many stand there.
            wanted = if wanted == usize::MAX { part.left } else { wanted.saturating_sub(taken) };
            let goes_on = self.watch.as_mut().map_or(ControlFlow::Continue(()), |watch| watch(progress));
            if goes_on.is_break() || wanted == 0 || taken == 0 {
                return Ok(progress);
            }
        }
    }
}

impl IntoFuture for BulkChange {
    type Output = Result<Progress>;
    type IntoFuture = BoxFuture<'static, Result<Progress>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl std::fmt::Debug for BulkChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkChange")
            .field("queue", &self.queue)
            .field("collection", &self.collection)
            .field("change", &self.change)
            .finish_non_exhaustive()
    }
}

fn allowed(change: Change, collection: &Collection) -> Result<(), InvalidOption> {
    let reason = match (change, collection) {
        (_, Collection::Active) => "active tasks are being run: cancel them one by one",
        (Change::Run, Collection::Pending) => "pending tasks run as soon as a worker is free",
        (Change::Archive, Collection::Archived) => "archived tasks are archived",
        _ => return Ok(()),
    };
    Err(InvalidOption::new("collection", &reason))
}
