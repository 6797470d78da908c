//! [`Observers`]: who is told of the runs of a server's tasks, and in which words.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::attempt::{DeadlineExceeded, Panicked};
use crate::background::guarded;
use crate::broker::Transition;
use crate::router::{Cancelled, HandlerResult, Verdict, has_cause};
use crate::telemetry::{Observer, Run, RunOutcome};

/// The observers of a server, in the order in which they were given. Nothing is made up for nobody.
#[derive(Clone, Debug, Default)]
pub(super) struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    pub(super) fn add(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A run begins, of a task that is pending since this Unix time in nanoseconds.
    pub(super) fn started(&self, run: &Run<'_>, pending_since: Option<i64>, now: Timestamp) {
        if self.is_empty() {
            return;
        }
        // Clocks may differ: who is ahead of us has not made anybody wait.
        let waited = pending_since.and_then(|since| Timestamp::from_nanosecond(since.into()).ok());
        let waited = waited.map(|since| since.duration_until(now).try_into().unwrap_or_default());
        for observer in &self.0 {
            guarded("an observer of the server", || observer.started(run, waited));
        }
    }

    /// A run has ended; its outcome is made up only if anybody hears of it.
    pub(super) fn ended(
        &self,
        run: &Run<'_>,
        outcome: impl FnOnce() -> RunOutcome,
        took: impl FnOnce() -> Option<Duration>,
    ) {
        if self.is_empty() {
            return;
        }
        let (outcome, took) = (outcome(), took());
        for observer in &self.0 {
            guarded("an observer of the server", || observer.ended(run, outcome, took));
        }
    }
}

/// How a run ended, given where its task goes.
pub(super) fn run_outcome(result: &HandlerResult, transition: &Transition) -> RunOutcome {
    let Err(error) = result else { return RunOutcome::Ok };
    let error = &**error;
    match transition {
        Transition::PutBack { .. } | Transition::Requeue { .. } => RunOutcome::PutBack,
        _ if has_cause::<Panicked>(error) => RunOutcome::Panic,
        _ if has_cause::<DeadlineExceeded>(error) => RunOutcome::Timeout,
        _ if has_cause::<Cancelled>(error) => RunOutcome::Cancelled,
        Transition::Revoke { .. } => RunOutcome::Skipped,
        Transition::Archive { .. } if Verdict::of(error) == Verdict::SkipRetry => RunOutcome::Skipped,
        Transition::Archive { .. } => RunOutcome::Archived,
        Transition::Retry { .. } | Transition::Done { .. } | Transition::Complete { .. } => RunOutcome::Retry,
    }
}
