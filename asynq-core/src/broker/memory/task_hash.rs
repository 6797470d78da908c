//! [`TaskHash`]: the hash of one task, field by field as Redis would hold it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;

use crate::broker::RunToken;
use crate::task::TaskState;

/// The names of the fields.
pub(super) mod field {
    pub(in super::super) const MSG: &str = "msg";
    pub(in super::super) const STATE: &str = "state";
    pub(in super::super) const PENDING_SINCE: &str = "pending_since";
    pub(in super::super) const UNIQUE_KEY: &str = "unique_key";
    pub(in super::super) const GROUP: &str = "group";
    pub(in super::super) const RESULT: &str = "result";
    pub(in super::super) const OWNER: &str = "x_own";
    pub(in super::super) const RUN: &str = "x_run";
    pub(in super::super) const CRASHES: &str = "x_crash";
    pub(in super::super) const MISSES: &str = "x_miss";
    /// Until when it holds its lock, if that is not the usual.
    pub(in super::super) const UNTIL: &str = "x_until";
    /// The group of a task that is scheduled first.
    pub(in super::super) const GROUP_LATER: &str = "x_group";
}

/// The hash of one task. Raw bytes, also under the known names: whatever was stored must be carried on unchanged,
/// also what cannot be read.
#[derive(Debug, Default)]
pub(super) struct TaskHash {
    fields: BTreeMap<Cow<'static, str>, Bytes>,
}

impl TaskHash {
    /// Sets a field.
    pub(super) fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Bytes>) {
        self.fields.insert(name.into(), value.into());
    }

    /// Sets `state`.
    pub(super) fn set_state(&mut self, state: TaskState) {
        self.set(field::STATE, state.as_str());
    }

    /// Removes a field, if it is there.
    pub(super) fn unset(&mut self, name: &str) {
        self.fields.remove(name);
    }

    /// Removes what names a run and its server.
    pub(super) fn unset_run(&mut self) {
        self.unset(field::OWNER);
        self.unset(field::RUN);
    }

    /// A field's bytes.
    pub(super) fn get(&self, name: &str) -> Option<&Bytes> {
        self.fields.get(name)
    }

    /// The stored message; a hash without one is no task.
    pub(super) fn message(&self) -> Option<&Bytes> {
        self.get(field::MSG)
    }

    /// A field as text.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(|bytes| String::from_utf8_lossy(bytes))
    }

    /// Whether the task is in this state.
    pub(super) fn is(&self, state: TaskState) -> bool {
        self.get(field::STATE).is_some_and(|stored| stored == state.as_str())
    }

    /// Whether this run holds the task; `None` is a run that left no token.
    pub(super) fn is_run(&self, run: Option<&RunToken>) -> bool {
        self.get(field::RUN).map(Bytes::as_ref) == run.map(|run| run.as_str().as_bytes())
    }

    /// How often a worker died while running it.
    pub(super) fn crashes(&self) -> u32 {
        self.number(field::CRASHES)
    }

    /// How often a worker had no handler for it.
    pub(super) fn misses(&self) -> u32 {
        self.number(field::MISSES)
    }

    /// A field as a number; what is no number counts as none.
    fn number(&self, name: &str) -> u32 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// All fields.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.fields.iter().map(|(name, value)| (&**name, value))
    }
}
