//! [`Awaited`]: what waiting for a task gives.

use crate::job::{FromResult, Job};
use crate::router::Outcome;
use crate::task::Task;

/// What waiting for a task gives: for a job what its function returns, for an untyped [`Task`] an [`Outcome`] with the
/// bytes that are stored as its result.
#[diagnostic::on_unimplemented(
    message = "what `{Self}` returns cannot be waited for",
    label = "its result cannot be read back",
    note = "the type that the job returns must implement serde's `Deserialize` as well as `Serialize`",
    note = "to wait for the bytes as they are stored, write `client.wait::<Task>(queue, id)`"
)]
pub trait Awaited {
    /// What it gives.
    type Output: FromResult + Send;
}

impl<J: Job<Output: FromResult + Send>> Awaited for J {
    type Output = J::Output;
}

impl Awaited for Task {
    type Output = Outcome;
}
