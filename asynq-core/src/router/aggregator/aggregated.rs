//! [`IntoAggregated`]: what an aggregator may return.

use crate::job::IntoTask;
use crate::router::BoxError;
use crate::task::Task;

/// What running an aggregator gives: the task that stands for the group, if there is to be one.
pub type AggregateResult = Result<Option<Task>, BoxError>;

/// What an aggregator may return: a job or a [`Task`]; `()` or a `None` where the group's tasks are done with and
/// nothing is to be enqueued for them; or a `Result` of these, whose error leaves the tasks where they are.
#[diagnostic::on_unimplemented(
    message = "an aggregator cannot return `{Self}`",
    label = "not something that an aggregator can return",
    note = "return the job that stands for the group, an `Option` of it, or `()`; or a `Result` of these, with an error \
            type such as `anyhow::Error`"
)]
pub trait IntoAggregated {
    /// The task.
    ///
    /// # Errors
    ///
    /// The aggregator's own error; or that the payload could not be encoded.
    fn into_aggregated(self) -> AggregateResult;
}

impl IntoAggregated for () {
    fn into_aggregated(self) -> AggregateResult {
        Ok(None)
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoTask> IntoAggregated for T {
    fn into_aggregated(self) -> AggregateResult {
        Ok(Some(self.into_task()?))
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoAggregated> IntoAggregated for Option<T> {
    fn into_aggregated(self) -> AggregateResult {
        self.map_or(Ok(None), T::into_aggregated)
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoAggregated, E: Into<BoxError>> IntoAggregated for Result<T, E> {
    fn into_aggregated(self) -> AggregateResult {
        self.map_err(Into::into)?.into_aggregated()
    }
}
