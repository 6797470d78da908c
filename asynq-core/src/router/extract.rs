//! [`FromContext`]: what a handler may take besides its payload.

use std::any::TypeId;
use std::future::Future;

use super::Ctx;

/// Something that a job can take as a parameter, made from the context of the task.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be injected into a job",
    label = "not something that a job can be given",
    note = "a job can be given `Ctx`, `State<T>`, or a type of yours that implements `FromContext`",
    note = "for a value that all runs share write `State<{Self}>`, and `.state(value)` where the server is built"
)]
pub trait FromContext: Sized + Send {
    /// Makes it. A failure fails the attempt.
    fn from_context(ctx: &Ctx) -> impl Future<Output = Result<Self, ExtractError>> + Send;

    /// What the server must have been given for this to work; checked before the first task.
    fn requirement() -> Option<Requirement> {
        None
    }
}

/// A parameter of a job could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot give the job its `{what}`")]
pub struct ExtractError {
    what: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ExtractError {
    /// `what` could not be made, because of `source`.
    pub fn new(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { what, source: source.into() }
    }
}

/// A value of some type that the server must share.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
}

/// A value shared by all handlers of a server; given to it by `.state(value)`, one of each type.
///
/// The value is cloned for each task: share what is expensive to clone behind an `Arc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T> State<T> {
    /// Wraps a value, for calling a job's function directly.
    pub fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T: Clone + Send + Sync + 'static> FromContext for State<T> {
    async fn from_context(ctx: &Ctx) -> Result<Self, ExtractError> {
        match ctx.state::<T>() {
            Some(value) => Ok(Self(value.clone())),
            None => Err(ExtractError::new(
                std::any::type_name::<Self>(),
                "the server was not given it: `.state(value)`",
            )),
        }
    }

    fn requirement() -> Option<Requirement> {
        Some(Requirement { type_id: TypeId::of::<T>(), type_name: std::any::type_name::<T>() })
    }
}

/// A shared value that a server may have been given or not. Messages recommend the plain one.
#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> FromContext for Option<State<T>> {
    async fn from_context(ctx: &Ctx) -> Result<Self, ExtractError> {
        Ok(ctx.state::<T>().cloned().map(State))
    }
}

impl FromContext for Ctx {
    async fn from_context(ctx: &Ctx) -> Result<Self, ExtractError> {
        Ok(ctx.clone())
    }
}
