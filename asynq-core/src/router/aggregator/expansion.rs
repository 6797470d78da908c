//! What the code that `#[aggregator]` generates calls: kept here so that it stays thin.

use std::future::Future;

use futures_util::future::BoxFuture;

use super::{AggregateResult, Aggregation};
use crate::job::{self, Job};
use crate::router::{BadPayload, Ctx};
use crate::task::Task;

/// Boxes the future of an aggregator. The macro calls it with the span of the user's function, so that a future that
/// cannot be sent to another thread is reported there.
pub fn boxed_aggregation<F>(future: F) -> BoxFuture<'static, AggregateResult>
where
    F: Future<Output = AggregateResult> + Send + 'static,
{
    Box::pin(future)
}

/// Begins a typed aggregator on those tasks whose payload is one of its job.
pub fn aggregate<J: Job>(
    tasks: Vec<Task>,
    run: impl FnOnce(Vec<J>) -> BoxFuture<'static, AggregateResult>,
) -> Aggregation {
    let (mut jobs, mut rejected) = (Vec::with_capacity(tasks.len()), Vec::new());
    for (position, task) in tasks.into_iter().enumerate() {
        match job::read::<J>(&task.payload.unwrap_or_default(), &task.headers) {
            Ok(job) => jobs.push(job),
            Err(error) => rejected.push((position, BadPayload::new(J::NAME, error).into())),
        }
    }
    Aggregation { rejected, run: (!jobs.is_empty()).then(|| run(jobs)) }
}

/// The group that is aggregated.
pub fn group_of(ctx: &Ctx) -> &str {
    ctx.group().unwrap_or_default()
}
