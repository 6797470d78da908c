//! [`HeldLocks`]: the uniqueness locks of a queue, whatever became of their tasks.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Inspector, LockStanding};
use crate::broker::{Broker, KeyCursor};
use crate::error::{Error, Result};
use crate::task::{InvalidOption, QueueName};

/// How many locks one call looks at.
const CHUNK: usize = 100;

/// The uniqueness locks of a queue, in no order.
#[derive(Debug)]
pub struct HeldLocks {
    broker: Arc<dyn Broker>,
    queue: QueueName,
    next: Option<KeyCursor>,
    keys: VecDeque<String>,
    read: VecDeque<LockStanding>,
}

impl Inspector {
    /// The uniqueness locks of a queue that somebody holds. It reads the names of all keys of the queue, in small parts.
    ///
    /// # Errors
    ///
    /// [`Error::QueueNotFound`], [`Error::InvalidOption`], [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn locks(&self, queue: impl AsRef<str>) -> Result<HeldLocks> {
        Ok(HeldLocks {
            broker: Arc::clone(&self.broker),
            queue: self.existing(queue).await?,
            next: Some(KeyCursor::default()),
            keys: VecDeque::new(),
            read: VecDeque::new(),
        })
    }

    /// What stands in a lock, by its whole key; `None` when nobody holds it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] when it is no key of a lock of this queue; [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn lock(&self, queue: impl AsRef<str>, key: &str) -> Result<Option<LockStanding>> {
        let queue = QueueName::new(queue)?;
        if !is_lock(self.broker.keyspace().queue(&queue).prefix(), key) {
            let reason = format!("`{key}` is no uniqueness lock of queue `{queue}`");
            return Err(InvalidOption::new("lock", &reason).into());
        }
        Ok(self.broker.lock_standings(&queue, &[key.to_owned()]).await?.pop().flatten())
    }

    /// Deletes a lock that is as it was seen, so that the next task may take it: whether it was.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not be done.
    pub async fn release_lock(&self, queue: impl AsRef<str>, seen: &LockStanding) -> Result<bool> {
        Ok(self.broker.release_lock(&QueueName::new(queue)?, seen).await?)
    }
}

impl HeldLocks {
    /// The next lock; `None` at the end. After an error it goes on where it was. One may come twice while keys come and
    /// go.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<LockStanding>> {
        loop {
            if let Some(lock) = self.read.pop_front() {
                return Some(Ok(lock));
            }
            if let Err(error) = self.read_more().await? {
                return Some(Err(error));
            }
        }
    }

    /// Looks at the next locks, or for their keys; `None` at the end.
    async fn read_more(&mut self) -> Option<Result<()>> {
        if !self.keys.is_empty() {
            let keys: Vec<String> = self.keys.iter().take(CHUNK).cloned().collect();
            let locks = match self.broker.lock_standings(&self.queue, &keys).await {
                Ok(locks) => locks,
                Err(error) => return Some(Err(Error::from(error))),
            };
            self.keys.drain(..keys.len());
            self.read.extend(locks.into_iter().flatten());
            return Some(Ok(()));
        }
        let page = match self.broker.keys(Some(&self.queue), self.next.as_ref()?).await {
            Ok(page) => page,
            Err(error) => return Some(Err(Error::from(error))),
        };
        self.next = page.next;
        let names = self.broker.keyspace().queue(&self.queue);
        self.keys.extend(page.keys.into_iter().filter(|key| is_lock(names.prefix(), key)));
        Some(Ok(()))
    }
}

fn is_lock(prefix: &str, key: &str) -> bool {
    let name = key.strip_prefix(prefix);
    name.is_some_and(|name| name.starts_with("unique:") || name.starts_with("x:unique:"))
}
