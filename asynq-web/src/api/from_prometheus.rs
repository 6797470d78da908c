//! What `/api/v1/series` tells, from a Prometheus.

use super::series::Asked;
use crate::history::Span;
use crate::problem::Problem;
use crate::prometheus::sum_of;
use crate::rights::Right;
use crate::visit::Visit;

/// How many queues are named in a query.
const NAMED: usize = 200;

/// The value of each step; `None` where Prometheus knows nothing.
pub(super) async fn values(
    visit: &Visit,
    asked: &Asked<'_>,
    span: Span,
) -> Result<Vec<Option<f64>>, Problem> {
    let queues = queues(visit, asked.queue).await?;
    let Some(prometheus) = &visit.shared.prometheus else {
        return Err(Problem::invalid("source: no Prometheus is known here: it is given by `--prometheus`"));
    };
    let query = sum_of(asked.metric, queues.as_deref(), asked.task_type, asked.quantile, span.step / 1_000);
    let last = span.from + span.step * i64::try_from(span.steps).unwrap_or(i64::MAX) - span.step;
    let answer = prometheus.range(&query, span.from, last, span.step).await;
    let series = answer.map_err(|reason| Problem::new("prometheus_failed", reason))?;
    Ok(series.first().map_or_else(|| vec![None; span.steps], |sum| sum.steps(span)))
}

/// The queues to name; `None` for all.
async fn queues(visit: &Visit, queue: Option<&str>) -> Result<Option<Vec<String>>, Problem> {
    if let Some(queue) = queue {
        visit.inspector(Right::View, queue)?;
        return Ok(Some(vec![queue.to_owned()]));
    }
    visit.inspector_of_all(Right::View)?;
    if !visit.rights().are_limited() {
        return Ok(None);
    }
    let visible = visit.queues(Right::View).await?;
    if visible.len() > NAMED {
        let reason =
            format!("queue: you may see more than {NAMED} queues, which are too many to add up: name one");
        return Err(Problem::invalid(reason));
    }
    Ok(Some(visible.iter().map(ToString::to_string).collect()))
}
