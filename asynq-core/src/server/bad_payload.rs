//! [`BadPayloads`]: what a server does with a task whose payload its job cannot read. Pure.

use std::time::Duration;

use super::settle::LeftToOthers;
use crate::router::{BadPayload, BoxError, has_cause};

/// What a server does with tasks whose payload is not one that their job can read.
///
/// While programs of two versions run side by side, the older may be given what only the newer can read. Archived, such
/// a task waits for an operator to run it again; put back, it waits for the newer program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadPayloads {
    /// It archives them at once: what cannot be read now cannot be read later. Programs in Go do it by hand, with
    /// `SkipRetry`.
    #[default]
    Archive,
    /// It puts them back, for another server that may be able to read them: no retry is used up, and nothing is counted
    /// as failed.
    ///
    /// A task in a group stays there only if its payload says that it is of a newer
    /// [version](crate::job::Job::VERSION), or encrypted with a key that this server does not have; any other that cannot be read is archived.
    PutBack {
        /// How long until the task is tried again.
        delay: Duration,
        /// The task is archived when it was put back for this many times, 1 or more.
        limit: u32,
    },
}

impl BadPayloads {
    /// Puts them back for half a minute, 120 times: for an hour.
    pub const fn put_back() -> Self {
        Self::PutBack { delay: Duration::from_secs(30), limit: 120 }
    }

    /// How to put a task back after this error, if the error is that its payload cannot be read and it is not to be
    /// archived.
    pub(super) fn put_back_after(self, error: &BoxError) -> Option<LeftToOthers> {
        let Self::PutBack { delay, limit } = self else { return None };
        has_cause::<BadPayload>(&**error).then_some(LeftToOthers { delay, limit, able: "can read it" })
    }

    /// Whether a task of a group is left in it that could not be given to its aggregator.
    pub(super) fn leaves_in_group(self, error: &BoxError) -> bool {
        matches!(self, Self::PutBack { .. })
            && error.downcast_ref::<BadPayload>().is_some_and(BadPayload::is_for_others)
    }
}
