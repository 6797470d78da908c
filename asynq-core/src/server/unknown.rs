//! [`UnknownTypes`]: what a server does with a task that none of its handlers is for. Pure.

use std::time::Duration;

use super::settle::LeftToOthers;
use crate::router::{BoxError, HandlerNotFound, has_cause};

/// What a server does with tasks of a type that its router does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownTypes {
    /// It fails them, as Go asynq does: they are retried, and archived when the retries are used up.
    #[default]
    Fail,
    /// It puts them back, for another server that may know them: no retry is used up, and nothing is counted as failed.
    /// While programs of two versions run side by side, tasks of new types wait for the new one.
    PutBack {
        /// How long until the task is tried again.
        delay: Duration,
        /// The task is archived when it was put back for this many times, 1 or more.
        limit: u32,
    },
}

impl UnknownTypes {
    /// Puts them back for half a minute, 120 times: for an hour.
    pub const fn put_back() -> Self {
        Self::PutBack { delay: Duration::from_secs(30), limit: 120 }
    }

    /// How to put a task back after this error, if the error is that its type is unknown and it is not to fail.
    pub(super) fn put_back_after(self, error: &BoxError) -> Option<LeftToOthers> {
        let Self::PutBack { delay, limit } = self else { return None };
        has_cause::<HandlerNotFound>(&**error).then_some(LeftToOthers { delay, limit, able: "has one" })
    }
}
