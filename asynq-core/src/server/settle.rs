//! How an attempt ended → where the task goes. Pure.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{RetryPolicy, UnknownTypes};
use crate::broker::Transition;
use crate::clock::floor_seconds;
use crate::router::{BoxError, HandlerResult, Verdict};
use crate::task::wire_seconds;
use crate::wire::TaskMessage;

/// The longest error text that is stored, in bytes: a stack dump must not fill Redis.
const MAX_ERROR_TEXT: usize = 16 * 1024;

/// Says which errors count as failures; others are tried again without using up a retry.
pub type IsFailure = Arc<dyn Fn(&BoxError) -> bool + Send + Sync>;

/// What the server decides failures by.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) retry: RetryPolicy,
    pub(super) is_failure: Option<IsFailure>,
    pub(super) unknown_types: UnknownTypes,
}

impl Rules {
    /// Where a task goes after an attempt.
    pub(super) fn transition(
        &self,
        message: &TaskMessage,
        result: HandlerResult,
        now: Timestamp,
    ) -> Transition {
        let seconds = floor_seconds(now);
        let error = match result {
            Ok(outcome) if message.retention > 0 => {
                return Transition::Complete {
                    until: seconds.saturating_add(message.retention),
                    message: TaskMessage { completed_at: seconds, ..message.clone() },
                    result: outcome.result,
                };
            }
            Ok(_) => return Transition::Done { unique_key: message.unique_key.clone() },
            Err(error) => error,
        };
        let verdict = Verdict::of(&*error);
        if let Verdict::PutBack(delay) = verdict {
            return put_back(message, &error, delay, now);
        }
        if verdict == Verdict::Retry
            && let Some(put_back) = self.unknown_types.transition(message, &error, now)
        {
            return put_back;
        }
        let failed =
            TaskMessage { error_msg: error_text(&*error), last_failed_at: seconds, ..message.clone() };
        let delay = match verdict {
            Verdict::Revoke => return Transition::Revoke { unique_key: message.unique_key.clone() },
            Verdict::SkipRetry => return Transition::Archive { message: Some(failed) },
            _ if message.retried >= message.retry => return Transition::Archive { message: Some(failed) },
            Verdict::RetryIn(delay) => delay,
            // Dealt with above; as an error it is one like any other.
            Verdict::Retry | Verdict::PutBack(_) => {
                self.retry.delay(&message.task_type, message.retried, &error)
            }
        };
        let is_failure = self.is_failure.as_ref().is_none_or(|is_failure| is_failure(&error));
        Transition::Retry {
            at: seconds.saturating_add(wire_seconds(delay)),
            message: TaskMessage { retried: message.retried.saturating_add(i32::from(is_failure)), ..failed },
            is_failure,
        }
    }
}

/// Where a task goes that may not run before `delay`: it waits as it is, unless its deadline comes first.
fn put_back(message: &TaskMessage, reason: &BoxError, delay: Duration, now: Timestamp) -> Transition {
    let seconds = floor_seconds(now);
    let at = now.saturating_add(delay).map_or(i64::MAX, floor_seconds).max(seconds.saturating_add(1));
    if message.deadline > 0 && at >= message.deadline {
        let error_msg = format!("{}; its deadline comes before it may run", error_text(&**reason));
        let message = TaskMessage { error_msg, last_failed_at: seconds, ..message.clone() };
        return Transition::Archive { message: Some(message) };
    }
    Transition::PutBack { message: message.clone(), at, limit: None }
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
    use crate::router::{Outcome, PutBack, Revoke, SkipRetry};

    const NOW: i64 = 1_000;

    fn settle(message: &TaskMessage, result: HandlerResult) -> Transition {
        let rules = Rules {
            retry: RetryPolicy::Fixed(Duration::from_secs(7)),
            is_failure: None,
            unknown_types: UnknownTypes::Fail,
        };
        rules.transition(message, result, Timestamp::from_second(NOW).unwrap())
    }

    fn message() -> TaskMessage {
        TaskMessage { retry: 2, unique_key: "lock".to_owned(), ..TaskMessage::default() }
    }

    #[test]
    fn success_deletes_or_keeps() {
        assert!(matches!(
            settle(&message(), Ok(Outcome::default())),
            Transition::Done { unique_key } if unique_key == "lock"
        ));
        let kept = TaskMessage { retention: 60, ..message() };
        assert!(matches!(
            settle(&kept, Ok(Outcome::default())),
            Transition::Complete { message, until: 1_060, .. } if message.completed_at == NOW
        ));
    }

    #[test]
    fn a_failure_is_retried_until_retries_are_used_up() {
        assert!(matches!(
            settle(&message(), Err("boom".into())),
            Transition::Retry { message, at: 1_007, is_failure: true }
                if message.retried == 1 && message.error_msg == "boom" && message.last_failed_at == NOW
        ));
        let last = TaskMessage { retried: 2, ..message() };
        assert!(matches!(
            settle(&last, Err("boom".into())),
            Transition::Archive { message: Some(message) } if message.retried == 2
        ));
    }

    #[test]
    fn markers_are_found_under_other_errors() {
        let skip: anyhow_like::Wrapped = anyhow_like::Wrapped(SkipRetry::new("bad input").into());
        assert!(matches!(
            settle(&message(), Err(Box::new(skip))),
            Transition::Archive { message: Some(message) }
                if message.error_msg == "while sending: bad input: skip retry for the task"
        ));
        assert!(matches!(settle(&message(), Err(Revoke::new("void").into())), Transition::Revoke { .. }));
    }

    #[test]
    fn what_may_not_run_yet_waits_as_it_is_unless_its_deadline_comes_first() {
        let put_back = |millis| Err(PutBack::new(Duration::from_millis(millis), "too many").into());
        let earlier = TaskMessage { retried: 2, error_msg: "an earlier error".to_owned(), ..message() };
        for (millis, due) in [(0, 1_001), (900, 1_001), (2_900, 1_002)] {
            assert!(matches!(
                settle(&earlier, put_back(millis)),
                Transition::PutBack { message, at, limit: None } if message == earlier && at == due
            ));
        }
        let urgent = TaskMessage { deadline: 1_005, ..earlier };
        assert!(matches!(settle(&urgent, put_back(4_000)), Transition::PutBack { at: 1_004, .. }));
        assert!(matches!(
            settle(&urgent, put_back(5_000)),
            Transition::Archive { message: Some(message) } if message.error_msg
                == "too many: put back for 5s; its deadline comes before it may run"
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
