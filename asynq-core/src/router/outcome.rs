//! What a handler may return, and how an error says what should happen to the task.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::job::{CodecError, FromResult, Mismatch};
use crate::payload::OpenError;

/// Any error of a handler.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A handler's success; also what a function returns whose result is bytes that are stored as they are, and what waiting
/// for an untyped task gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What to store as the task's result, kept for its retention.
    pub result: Option<Bytes>,
}

/// What the function of a job may return: `()`; `Result<T, E>` with a `T` that serializes and any error type that turns
/// into a boxed error, `anyhow::Error` and `String` included; or an [`Outcome`], alone or in a `Result`.
///
/// The value is stored as the task's result, in JSON, whatever the codec of the payload; for `()` and other types of no
/// size nothing is stored. An [`Outcome`] stores bytes as they are: a `Vec<u8>` would be a JSON array of numbers. A
/// result goes with its task when there is no retention.
#[diagnostic::on_unimplemented(
    message = "a job cannot return `{Self}`",
    label = "not something that a job can return",
    note = "return `()` or `Result<T, E>`, where `T` implements serde's `Serialize` and `E` is an error type such as \
            `anyhow::Error`"
)]
pub trait IntoOutcome {
    /// The type that the job returns on success.
    type Output;

    /// The outcome.
    ///
    /// # Errors
    ///
    /// The handler's own error; or that its result could not be encoded.
    fn into_outcome(self) -> Result<Outcome, BoxError>;
}

impl IntoOutcome for () {
    type Output = ();

    fn into_outcome(self) -> Result<Outcome, BoxError> {
        Ok(Outcome::default())
    }
}

/// What is stored is up to the function.
#[diagnostic::do_not_recommend]
impl IntoOutcome for Outcome {
    type Output = Self;

    fn into_outcome(self) -> Result<Outcome, BoxError> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, E: Into<BoxError>> IntoOutcome for Result<T, E> {
    type Output = T;

    fn into_outcome(self) -> Result<Outcome, BoxError> {
        let value = self.map_err(Into::into)?;
        if size_of::<T>() == 0 {
            return Ok(Outcome::default());
        }
        let result =
            serde_json::to_vec(&value).map_err(|error| format!("result cannot be encoded: {error}"))?;
        Ok(Outcome { result: Some(Bytes::from(result)) })
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> IntoOutcome for Result<Outcome, E> {
    type Output = Outcome;

    fn into_outcome(self) -> Result<Outcome, BoxError> {
        self.map_err(Into::into)
    }
}

impl FromResult for Outcome {
    const NEEDS_RESULT: bool = false;

    fn from_result(result: Option<&Bytes>) -> Result<Self, BoxError> {
        Ok(Self { result: result.cloned() })
    }
}

/// What an error asks for. It is found anywhere in the chain of sources of the error that a handler returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Try again after the delay of the retry policy, unless the retries are used up.
    Retry,
    /// Try again after this delay, unless the retries are used up.
    RetryIn(Duration),
    /// Archive at once.
    SkipRetry,
    /// Delete, as if it had succeeded.
    Revoke,
    /// Try again after this delay, as if it had not been tried now: no retry is used up.
    PutBack(Duration),
}

impl Verdict {
    /// What `error` asks for.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(marker) = error.downcast_ref::<Marker>() {
                return marker.verdict;
            }
            next = error.source();
        }
        Self::Retry
    }
}

/// The link of an error's chain that carries the verdict. It is the *source* of the public wrappers, so that it is
/// found also where `anyhow` hides the type of the outermost error.
#[derive(Debug)]
struct Marker {
    verdict: Verdict,
    error: BoxError,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verdict {
            Verdict::Retry => f.write_str("retry"),
            Verdict::RetryIn(delay) => write!(f, "retry in {delay:?}"),
            Verdict::SkipRetry => f.write_str("skip retry for the task"),
            Verdict::Revoke => f.write_str("revoke task"),
            Verdict::PutBack(delay) => write!(f, "put back for {delay:?}"),
        }
    }
}

impl Error for Marker {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

macro_rules! wrapper {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Marker);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.error, f)
            }
        }

        impl Error for $name {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
    };
}

wrapper! {
    /// Wraps an error that no retry can help: the task is archived at once.
    ///
    /// ```
    /// use asynq_core::router::{SkipRetry, Verdict};
    ///
    /// let error = SkipRetry::new("no such user");
    /// assert_eq!(error.to_string(), "no such user");
    /// assert_eq!(Verdict::of(&error), Verdict::SkipRetry);
    /// ```
    SkipRetry
}
wrapper! {
    /// Wraps an error that makes the task void: it is deleted as if it had succeeded.
    Revoke
}
wrapper! {
    /// Wraps an error after which the task is to be tried again at a time of the handler's choosing.
    RetryIn
}

wrapper! {
    /// Wraps the reason why a task cannot run yet: it is put back as it was and tried again later. No retry is used up,
    /// nothing is counted, and an earlier error stays with it; for Go it is in the state retry.
    ///
    /// A task whose deadline passes before that time is archived instead.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use asynq_core::router::{PutBack, Verdict};
    ///
    /// let error = PutBack::new(Duration::from_secs(60), "the printer is out of paper");
    /// assert_eq!(Verdict::of(&error), Verdict::PutBack(Duration::from_secs(60)));
    /// ```
    PutBack
}

impl SkipRetry {
    /// Archive the task, with this error.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(Marker { verdict: Verdict::SkipRetry, error: error.into() })
    }
}

impl Revoke {
    /// Delete the task; the error is only logged.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(Marker { verdict: Verdict::Revoke, error: error.into() })
    }
}

impl RetryIn {
    /// Try again in `delay` (whole seconds are kept), with this error.
    pub fn new(delay: Duration, error: impl Into<BoxError>) -> Self {
        Self(Marker { verdict: Verdict::RetryIn(delay), error: error.into() })
    }
}

impl PutBack {
    /// Try again in `delay`, for this reason, which is only logged. The task is due at a whole second: the last one
    /// within the delay, but not before the next.
    pub fn new(delay: Duration, reason: impl Into<BoxError>) -> Self {
        Self(Marker { verdict: Verdict::PutBack(delay), error: reason.into() })
    }
}

/// A payload that is not one of its job's: no retry can help, so the task is archived at once, unless the server is told
/// [otherwise](crate::server::BadPayloads). The text names the field, the place and what is wrong there, and no value.
#[derive(Debug, thiserror::Error)]
#[error("payload of `{job}` cannot be decoded: {reason}")]
pub struct BadPayload {
    job: Cow<'static, str>,
    reason: String,
    source: Marker,
}

impl BadPayload {
    /// The payload of a task of type `job` could not be decoded.
    pub fn new(job: impl Into<Cow<'static, str>>, error: CodecError) -> Self {
        Self {
            job: job.into(),
            reason: error.reason(),
            source: Marker { verdict: Verdict::SkipRetry, error: error.into() },
        }
    }

    /// Whether it is of a version that came after this program: one for a newer program to run.
    pub fn is_newer(&self) -> bool {
        matches!(self.cause(), Some(Mismatch::Newer { .. }))
    }

    /// Whether another program may be able to read it: a newer one, or one that has its key.
    pub fn is_for_others(&self) -> bool {
        self.is_newer() || self.cause().is_some_and(OpenError::is_for_others)
    }

    fn cause<E: Error + 'static>(&self) -> Option<&E> {
        self.source.source().and_then(|cause| cause.downcast_ref())
    }
}

/// No handler for the type of a task. An ordinary error, as in Go: retried, then archived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("handler not found for task \"{0}\"")]
pub struct HandlerNotFound(pub String);

/// The attempt was cancelled on request: what a handler returns that stops for it, and what stands for one that had to be
/// dropped. What becomes of the task is the server's or the job's [`OnCancel`](super::OnCancel) to say. The text is Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("context canceled")]
pub struct Cancelled;

/// Whether an error, or one of its causes, is of this type.
pub(crate) fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<E>() {
            return true;
        }
        next = error.source();
    }
    false
}
