//! How an attempt ended → where the task goes. Pure.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::hooks::Hooks;
use super::observers::Observers;
use super::{BadPayloads, UnknownTypes};
use crate::background::guarded;
use crate::broker::Transition;
use crate::clock::floor_seconds;
use crate::router::{BoxError, Cancelled, HandlerResult, OnCancel, RetryPolicy, Verdict, has_cause};
use crate::task::wire_seconds;
use crate::wire::TaskMessage;

/// The longest error text that is stored, in bytes: a stack dump must not fill Redis.
const MAX_ERROR_TEXT: usize = 16 * 1024;

/// The delay of a retry whose policy panicked.
const PANIC_DELAY: Duration = Duration::from_secs(60);

/// Says which errors count as failures; others are tried again without using up a retry.
pub type IsFailure = Arc<dyn Fn(&BoxError) -> bool + Send + Sync>;

/// What the server decides failures by.
#[derive(Clone, Default)]
pub(super) struct Rules {
    pub(super) retry: RetryPolicy,
    pub(super) is_failure: Option<IsFailure>,
    pub(super) unknown_types: UnknownTypes,
    pub(super) bad_payloads: BadPayloads,
    pub(super) on_cancel: OnCancel,
    /// Whether a task that is given up releases its lock.
    pub(super) release_on_archive: bool,
    /// What single types have of their own.
    pub(super) by_type: BTreeMap<String, TypeRules>,
    pub(super) hooks: Hooks,
    pub(super) observers: Observers,
}

/// What one task type has of its own; the server's rules hold where there is nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeRules {
    pub(super) retry: Option<RetryPolicy>,
    pub(super) on_cancel: Option<OnCancel>,
}

/// A task is put back as it was, for a server that can do more with it than this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeftToOthers {
    pub(super) delay: Duration,
    /// It is archived when it was put back for this many times.
    pub(super) limit: u32,
    /// What such a server is able to do, for the text that stays with the task.
    pub(super) able: &'static str,
}

impl LeftToOthers {
    fn transition(self, message: &TaskMessage, error: &BoxError, now: Timestamp) -> Transition {
        let Self { delay, limit, able } = self;
        let seconds = floor_seconds(now);
        let text = error_text(&**error);
        let message = TaskMessage {
            error_msg: format!("{text}; put back for a server that {able}, {limit} times at most"),
            last_failed_at: seconds,
            ..message.clone()
        };
        let at = seconds.saturating_add(wire_seconds(delay));
        Transition::PutBack { message, at, limit: Some(limit) }
    }
}

impl Rules {
    /// Where a task goes after an attempt.
    pub(super) fn transition(
        &self,
        message: &TaskMessage,
        result: &HandlerResult,
        now: Timestamp,
    ) -> Transition {
        match result {
            Ok(outcome) if message.retention > 0 => {
                let seconds = floor_seconds(now);
                Transition::Complete {
                    until: seconds.saturating_add(message.retention),
                    message: TaskMessage { completed_at: seconds, ..message.clone() },
                    result: outcome.result.clone(),
                }
            }
            Ok(_) => Transition::Done { unique_key: message.unique_key.clone() },
            Err(error) => self.failure(message, error, now),
        }
    }

    /// Where a task goes that is given up; with this message, if its own can be read.
    pub(super) fn archive(&self, message: Option<TaskMessage>) -> Transition {
        let lock = message.as_ref().filter(|_| self.release_on_archive);
        let unique_key = lock.map(|message| message.unique_key.clone()).unwrap_or_default();
        Transition::Archive { message, unique_key }
    }

    fn failure(&self, message: &TaskMessage, error: &BoxError, now: Timestamp) -> Transition {
        let seconds = floor_seconds(now);
        let own = self.by_type.get(&message.task_type);
        let mut verdict = Verdict::of(&**error);
        if let Verdict::PutBack(delay) = verdict {
            return self.put_back(message, error, delay, now);
        }
        let left = match verdict {
            Verdict::Retry => self.unknown_types.put_back_after(error),
            Verdict::SkipRetry => self.bad_payloads.put_back_after(error),
            _ => None,
        };
        if let Some(left) = left {
            return left.transition(message, error, now);
        }
        if verdict == Verdict::Retry && has_cause::<Cancelled>(&**error) {
            verdict = match own.and_then(|own| own.on_cancel).unwrap_or(self.on_cancel) {
                OnCancel::Retry => Verdict::Retry,
                OnCancel::Archive => Verdict::SkipRetry,
                OnCancel::Delete => Verdict::Revoke,
            };
        }
        let failed =
            TaskMessage { error_msg: error_text(&**error), last_failed_at: seconds, ..message.clone() };
        let delay = match verdict {
            Verdict::Revoke => return Transition::Revoke { unique_key: message.unique_key.clone() },
            Verdict::SkipRetry => return self.archive(Some(failed)),
            _ if message.retried >= message.retry => return self.archive(Some(failed)),
            Verdict::RetryIn(delay) => delay,
            // Dealt with above; as an error it is one like any other.
            Verdict::Retry | Verdict::PutBack(_) => {
                let policy = own.and_then(|own| own.retry.as_ref()).unwrap_or(&self.retry);
                let delay = || policy.delay(&message.task_type, message.retried, error);
                guarded("the retry policy", delay).unwrap_or(PANIC_DELAY)
            }
        };
        let is_failure = self
            .is_failure
            .as_ref()
            .is_none_or(|is_failure| guarded("is_failure", || is_failure(error)).unwrap_or(true));
        Transition::Retry {
            at: seconds.saturating_add(wire_seconds(delay)),
            message: TaskMessage { retried: message.retried.saturating_add(i32::from(is_failure)), ..failed },
            is_failure,
        }
    }

    /// Where a task goes that may not run before `delay`: it waits as it is, unless its deadline comes first.
    fn put_back(
        &self,
        message: &TaskMessage,
        reason: &BoxError,
        delay: Duration,
        now: Timestamp,
    ) -> Transition {
        let seconds = floor_seconds(now);
        let at = now.saturating_add(delay).map_or(i64::MAX, floor_seconds).max(seconds.saturating_add(1));
        if message.deadline > 0 && at >= message.deadline {
            let error_msg = format!("{}; its deadline comes before it may run", error_text(&**reason));
            return self.archive(Some(TaskMessage { error_msg, last_failed_at: seconds, ..message.clone() }));
        }
        Transition::PutBack { message: message.clone(), at, limit: None }
    }
}

/// An error and its causes, as it is stored: each cause that the text so far does not already tell.
pub(super) fn error_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        if text.len() > MAX_ERROR_TEXT {
            break;
        }
        next = cause.source();
    }
    if text.len() > MAX_ERROR_TEXT {
        let end = (0..=MAX_ERROR_TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("… (cut)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::{Outcome, PutBack, RetryIn, Revoke, SkipRetry};

    const NOW: i64 = 1_000;

    fn settle(message: &TaskMessage, result: &HandlerResult) -> Transition {
        settle_by(&Rules::default(), message, result)
    }

    /// By these rules, but with a retry after seven seconds.
    fn settle_by(rules: &Rules, message: &TaskMessage, result: &HandlerResult) -> Transition {
        let rules = Rules { retry: RetryPolicy::Fixed(Duration::from_secs(7)), ..rules.clone() };
        rules.transition(message, result, Timestamp::from_second(NOW).unwrap())
    }

    fn message() -> TaskMessage {
        TaskMessage { retry: 2, unique_key: "lock".to_owned(), ..TaskMessage::default() }
    }

    #[test]
    fn success_deletes_or_keeps() {
        assert!(matches!(
            settle(&message(), &Ok(Outcome::default())),
            Transition::Done { unique_key } if unique_key == "lock"
        ));
        let kept = TaskMessage { retention: 60, ..message() };
        assert!(matches!(
            settle(&kept, &Ok(Outcome::default())),
            Transition::Complete { message, until: 1_060, .. } if message.completed_at == NOW
        ));
    }

    #[test]
    fn a_failure_is_retried_until_retries_are_used_up() {
        assert!(matches!(
            settle(&message(), &Err("boom".into())),
            Transition::Retry { message, at: 1_007, is_failure: true }
                if message.retried == 1 && message.error_msg == "boom" && message.last_failed_at == NOW
        ));
        let last = TaskMessage { retried: 2, ..message() };
        assert!(matches!(
            settle(&last, &Err("boom".into())),
            Transition::Archive { message: Some(message), .. } if message.retried == 2
        ));
    }

    #[test]
    fn markers_are_found_under_other_errors() {
        let skip: anyhow_like::Wrapped = anyhow_like::Wrapped(SkipRetry::new("bad input").into());
        assert!(matches!(
            settle(&message(), &Err(Box::new(skip))),
            Transition::Archive { message: Some(message), .. }
                if message.error_msg == "while sending: bad input: skip retry for the task"
        ));
        assert!(matches!(settle(&message(), &Err(Revoke::new("void").into())), Transition::Revoke { .. }));
    }

    #[test]
    fn what_may_not_run_yet_waits_as_it_is_unless_its_deadline_comes_first() {
        let put_back = |millis| Err(PutBack::new(Duration::from_millis(millis), "too many").into());
        let earlier = TaskMessage { retried: 2, error_msg: "an earlier error".to_owned(), ..message() };
        for (millis, due) in [(0, 1_001), (900, 1_001), (2_900, 1_002)] {
            assert!(matches!(
                settle(&earlier, &put_back(millis)),
                Transition::PutBack { message, at, limit: None } if message == earlier && at == due
            ));
        }
        let urgent = TaskMessage { deadline: 1_005, ..earlier };
        assert!(matches!(settle(&urgent, &put_back(4_000)), Transition::PutBack { at: 1_004, .. }));
        assert!(matches!(
            settle(&urgent, &put_back(5_000)),
            Transition::Archive { message: Some(message), .. } if message.error_msg
                == "too many: put back for 5s; its deadline comes before it may run"
        ));
    }

    #[test]
    fn what_becomes_of_a_cancelled_task_is_a_setting_of_the_server_or_its_type() {
        let cancelled = || Err(Cancelled.into());
        assert!(matches!(settle(&message(), &cancelled()), Transition::Retry { is_failure: true, .. }));
        let of_type = TypeRules { on_cancel: Some(OnCancel::Delete), ..TypeRules::default() };
        let rules = Rules {
            on_cancel: OnCancel::Archive,
            by_type: [("void".to_owned(), of_type)].into(),
            ..Rules::default()
        };
        assert!(matches!(settle_by(&rules, &message(), &cancelled()), Transition::Archive { .. }));
        let void = TaskMessage { task_type: "void".to_owned(), ..message() };
        assert!(matches!(settle_by(&rules, &void, &cancelled()), Transition::Revoke { .. }));
        // What the handler says itself counts.
        let retry_in = RetryIn::new(Duration::from_secs(3), Cancelled);
        assert!(matches!(
            settle_by(&rules, &void, &Err(retry_in.into())),
            Transition::Retry { at: 1_003, .. }
        ));
        let other = settle_by(&rules, &void, &Err("it broke".into()));
        assert!(matches!(other, Transition::Retry { is_failure: true, .. }));
    }

    #[test]
    fn a_type_may_have_a_retry_policy_of_its_own() {
        let of_type = TypeRules {
            retry: Some(RetryPolicy::of(|retried, _| {
                Duration::from_secs(100 + u64::from(retried.unsigned_abs()))
            })),
            ..TypeRules::default()
        };
        let rules = Rules { by_type: [("slow".to_owned(), of_type)].into(), ..Rules::default() };
        let slow = TaskMessage { task_type: "slow".to_owned(), retried: 1, ..message() };
        assert!(matches!(settle_by(&rules, &slow, &Err("x".into())), Transition::Retry { at: 1_101, .. }));
        assert!(matches!(
            settle_by(&rules, &message(), &Err("x".into())),
            Transition::Retry { at: 1_007, .. }
        ));
    }

    #[test]
    fn b21_a_policy_that_panics_is_a_policy_without_an_answer() {
        let rules = Rules {
            is_failure: Some(Arc::new(|_| panic!("is_failure"))),
            by_type: [(
                "t".to_owned(),
                TypeRules { retry: Some(RetryPolicy::of(|_, _| panic!("policy"))), ..TypeRules::default() },
            )]
            .into(),
            ..Rules::default()
        };
        let message = TaskMessage { task_type: "t".to_owned(), ..message() };
        assert!(matches!(
            settle_by(&rules, &message, &Err("x".into())),
            Transition::Retry { at: 1_060, is_failure: true, .. }
        ));
    }

    #[test]
    fn what_is_given_up_releases_its_lock_where_that_is_asked_for() {
        let given_up = || Err(SkipRetry::new("no use").into());
        assert!(matches!(
            settle(&message(), &given_up()),
            Transition::Archive { unique_key, .. } if unique_key.is_empty()
        ));
        let rules = Rules { release_on_archive: true, ..Rules::default() };
        assert!(matches!(
            settle_by(&rules, &message(), &given_up()),
            Transition::Archive { unique_key, .. } if unique_key == "lock"
        ));
    }

    #[test]
    fn error_text_is_bounded() {
        let text = error_text(&*BoxError::from("ä".repeat(MAX_ERROR_TEXT)));
        assert!(text.len() < MAX_ERROR_TEXT + 20 && text.ends_with("… (cut)"));
    }

    mod anyhow_like {
        use crate::router::BoxError;

        #[derive(Debug, thiserror::Error)]
        #[error("while sending")]
        pub(super) struct Wrapped(#[source] pub(super) BoxError);
    }
}
