//! [`Content`] and [`Formats`]: how an application has what its tasks carry shown.

use std::fmt;
use std::sync::Arc;

use asynq_core::task::TaskInfo;
use bytes::Bytes;

use crate::visit::Visit;

/// What a task carries, to be written for people: given to [`WebUi::payload_format`](crate::WebUi::payload_format).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Content<'a> {
    /// The task, as it is stored.
    pub task: &'a TaskInfo,
    /// The payload as its job reads it, decompressed and decrypted as far as the client can; or the result.
    pub bytes: &'a [u8],
    /// Whether it is the result.
    pub is_result: bool,
}

type Write = dyn Fn(&Content<'_>) -> Option<String> + Send + Sync;

/// The formats of an application, in its order.
#[derive(Clone, Default)]
pub(crate) struct Formats(Vec<(Arc<str>, Arc<Write>)>);

/// What a format made of a content.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) name: Arc<str>,
    pub(crate) text: String,
}

/// What all formats made of what a task carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllWritten {
    pub(crate) payload: Vec<Written>,
    pub(crate) result: Vec<Written>,
}

impl Formats {
    pub(crate) fn add(
        &mut self,
        name: Arc<str>,
        write: impl Fn(&Content<'_>) -> Option<String> + Send + Sync + 'static,
    ) {
        self.0.push((name, Arc::new(write)));
    }

    /// The names of all.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// What they make of what a task carries, as the visitor is shown it: what is masked in JSON is hidden, and what is no
    /// JSON is not shown to whom something may be hidden.
    pub(crate) fn of(&self, visit: &Visit, task: &TaskInfo) -> AllWritten {
        if self.0.is_empty() {
            return AllWritten::default();
        }
        let payload = visit.shared.client.open(task).unwrap_or_else(|_| task.payload.clone());
        let result = task.result.as_deref();
        AllWritten {
            payload: self.written(visit, &Content { task, bytes: &payload, is_result: false }),
            result: result
                .map(|bytes| self.written(visit, &Content { task, bytes, is_result: true }))
                .unwrap_or_default(),
        }
    }

    fn written(&self, visit: &Visit, content: &Content<'_>) -> Vec<Written> {
        let written = self.0.iter().filter_map(|(name, write)| {
            let text = Bytes::from(write(content)?);
            let shown = visit.shown(content.task.queue.as_str(), text);
            Some(Written { name: Arc::clone(name), text: String::from_utf8_lossy(&shown).into_owned() })
        });
        written.collect()
    }
}

impl fmt::Debug for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
