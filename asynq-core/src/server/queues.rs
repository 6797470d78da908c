//! [`Queues`]: the queues that a server takes from, which may change while it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::task::QueueName;

/// A queue that a server takes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServedQueue {
    /// Its name.
    pub name: QueueName,
    /// Its priority, 1 or more.
    pub priority: u32,
    /// How many of its tasks this server runs at a time, if fewer than the server's concurrency.
    pub concurrency: Option<usize>,
}

/// The queues that a server takes from. Cheap to clone; clones change the same server.
///
/// A change holds from the next call to the broker on, and is published with the server's state at once. Tasks of a
/// queue that is removed run to their end. A server without any queue takes nothing, and waits.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::server::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let server = Server::builder(&Client::in_memory()).queues([("default", 1)]).start().await?;
/// let queues = server.queues();
/// queues.set("tenant:7", 3)?;
/// queues.set_concurrency("tenant:7", 2)?;
/// assert!(queues.remove("default"));
/// let left: Vec<String> = queues.list().iter().map(|queue| queue.name.to_string()).collect();
/// assert_eq!(left, ["tenant:7"]);
/// # server.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Queues(Arc<watch::Sender<Served>>);

/// All queues, highest priority first.
pub(super) type Served = Arc<[ServedQueue]>;

impl Queues {
    pub(super) fn new(queues: impl IntoIterator<Item = ServedQueue>) -> Self {
        Self(Arc::new(watch::Sender::new(sorted(queues))))
    }

    /// The queues as they are now, highest priority first.
    pub fn list(&self) -> Vec<ServedQueue> {
        self.0.borrow().to_vec()
    }

    /// Takes from this queue from now on, or gives it another priority (1 or more). Its concurrency stays.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] when the name is blank or the priority 0.
    pub fn set(&self, name: impl AsRef<str>, priority: u32) -> Result<()> {
        let (name, priority) = checked(name, priority)?;
        self.change(|queues| {
            let known = queues.iter_mut().find(|queue| queue.name == name);
            match known {
                Some(queue) if queue.priority == priority => false,
                Some(queue) => {
                    queue.priority = priority;
                    true
                }
                None => {
                    queues.push(ServedQueue { name, priority, concurrency: None });
                    true
                }
            }
        });
        Ok(())
    }

    /// Runs at most so many tasks of this queue at a time, 1 or more; `None` for as many as the server has slots.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] when it is 0, or the server does not take from this queue.
    pub fn set_concurrency(&self, name: impl AsRef<str>, tasks: impl Into<Option<usize>>) -> Result<()> {
        let (name, tasks) = (name.as_ref(), tasks.into());
        if tasks == Some(0) {
            return Err(no_slots(name));
        }
        let mut is_known = false;
        self.change(|queues| {
            let Some(queue) = queues.iter_mut().find(|queue| queue.name == name) else { return false };
            is_known = true;
            let is_other = queue.concurrency != tasks;
            queue.concurrency = tasks;
            is_other
        });
        if is_known { Ok(()) } else { Err(not_served(name)) }
    }

    /// Takes no more from this queue; `false` when the server did not.
    pub fn remove(&self, name: impl AsRef<str>) -> bool {
        let name = name.as_ref();
        let mut is_known = false;
        self.change(|queues| {
            let before = queues.len();
            queues.retain(|queue| queue.name != name);
            is_known = queues.len() < before;
            is_known
        });
        is_known
    }

    /// Changes the queues; those who watch are told if `change` says that it did.
    fn change(&self, change: impl FnOnce(&mut Vec<ServedQueue>) -> bool) {
        self.0.send_if_modified(|served| {
            let mut queues = served.to_vec();
            let changed = change(&mut queues);
            if changed {
                *served = sorted(queues);
                tracing::info!(queues = ?served, "server's queues changed");
            }
            changed
        });
    }

    /// Tells of each change.
    pub(super) fn watch(&self) -> watch::Receiver<Served> {
        self.0.subscribe()
    }

    /// The names, as they are now.
    pub(super) fn names(&self) -> Vec<QueueName> {
        self.0.borrow().iter().map(|queue| queue.name.clone()).collect()
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.borrow().iter()).finish()
    }
}

fn sorted(queues: impl IntoIterator<Item = ServedQueue>) -> Served {
    let mut queues: Vec<ServedQueue> = queues.into_iter().collect();
    queues.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
    Arc::from(queues)
}

/// Queues and priorities as a server tells them.
pub(super) fn wire_queues(served: &Served) -> BTreeMap<String, i32> {
    served.iter().map(|queue| (queue.name.as_str().to_owned(), queue.priority.cast_signed())).collect()
}

/// A queue's name and priority, if they can be.
pub(super) fn checked(name: impl AsRef<str>, priority: u32) -> Result<(QueueName, u32)> {
    let reject = |reason| Error::InvalidSetting { name: "queues", reason };
    match QueueName::new(name) {
        Ok(name) if (1..=i32::MAX.unsigned_abs()).contains(&priority) => Ok((name, priority)),
        Ok(name) => Err(reject(format!("priority of `{name}` must be 1 or more, got {priority}"))),
        Err(blank) => Err(reject(blank.to_string())),
    }
}

/// The error of a concurrency of 0.
pub(super) fn no_slots(of: &str) -> Error {
    let reason = format!("of `{of}` must be 1 or more, got 0; to take nothing, pause the queue or remove it");
    Error::InvalidSetting { name: "concurrency", reason }
}

/// The error of a setting for a queue that is none of the server's.
pub(super) fn not_served(name: &str) -> Error {
    let reason = format!("`{name}` is none of the server's queues; add it first");
    Error::InvalidSetting { name: "queue concurrency", reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(served: &[(&str, u32)]) -> Queues {
        Queues::new(served.iter().map(|&(name, priority)| ServedQueue {
            name: QueueName::new(name).unwrap(),
            priority,
            concurrency: None,
        }))
    }

    fn shown(queues: &Queues) -> Vec<(String, u32, Option<usize>)> {
        let shown = |queue: ServedQueue| (queue.name.to_string(), queue.priority, queue.concurrency);
        queues.list().into_iter().map(shown).collect()
    }

    #[test]
    fn queues_are_added_reweighted_limited_and_removed() {
        let queues = queues(&[("a", 1), ("b", 2)]);
        let mut watch = queues.watch();
        queues.set("c", 3).unwrap();
        assert!(watch.has_changed().unwrap());
        queues.set_concurrency("c", 4).unwrap();
        queues.set("c", 1).unwrap();
        let now = [("b".to_owned(), 2, None), ("a".to_owned(), 1, None), ("c".to_owned(), 1, Some(4))];
        assert_eq!(shown(&queues), now);
        watch.mark_unchanged();
        queues.set("c", 1).unwrap();
        assert!(!watch.has_changed().unwrap(), "nothing is new");
        assert!(queues.remove("a") && !queues.remove("a"));
        queues.set_concurrency("c", None).unwrap();
        assert_eq!(shown(&queues), [("b".to_owned(), 2, None), ("c".to_owned(), 1, None)]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let queues = queues(&[("a", 1)]);
        let texts = [
            queues.set("a", 0).unwrap_err().to_string(),
            queues.set(" ", 1).unwrap_err().to_string(),
            queues.set_concurrency("a", 0).unwrap_err().to_string(),
            queues.set_concurrency("x", 1).unwrap_err().to_string(),
        ];
        assert!(texts[0].ends_with("priority of `a` must be 1 or more, got 0"), "{texts:?}");
        assert!(texts[1].starts_with("invalid setting `queues`: "), "{texts:?}");
        assert!(texts[2].contains("must be 1 or more, got 0"), "{texts:?}");
        assert!(texts[3].contains("`x` is none of the server's queues"), "{texts:?}");
        assert_eq!(shown(&queues), [("a".to_owned(), 1, None)]);
    }
}
