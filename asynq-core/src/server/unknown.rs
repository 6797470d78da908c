//! [`UnknownTypes`]: what a server does with a task that none of its handlers is for. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::settle::error_text;
use crate::broker::Transition;
use crate::clock::floor_seconds;
use crate::router::{BoxError, HandlerNotFound, has_cause};
use crate::task::wire_seconds;
use crate::wire::TaskMessage;

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

    /// Where a task goes after this error, if the error is that its type is unknown and it is not to fail.
    pub(super) fn transition(
        self,
        message: &TaskMessage,
        error: &BoxError,
        now: Timestamp,
    ) -> Option<Transition> {
        let Self::PutBack { delay, limit } = self else { return None };
        if !has_cause::<HandlerNotFound>(&**error) {
            return None;
        }
        let seconds = floor_seconds(now);
        let text = error_text(&**error);
        let message = TaskMessage {
            error_msg: format!("{text}; put back for a server that has one, {limit} times at most"),
            last_failed_at: seconds,
            ..message.clone()
        };
        let at = seconds.saturating_add(wire_seconds(delay));
        Some(Transition::PutBack { message, at, limit: Some(limit) })
    }
}
