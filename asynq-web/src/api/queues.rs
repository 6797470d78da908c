//! Queues: how they stand, their history, pausing and deleting them.

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::shapes::{Day, Group, Items, Queue};
use crate::fields::Fields;
use crate::links::name;
use crate::pages::infos;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// How many days of history there are unless told otherwise.
const DAYS: usize = 30;

/// Queues by name: all, or those that have a part of it. With `memory` each tells roughly how much it takes, which costs
/// more than all the rest.
pub(crate) async fn list(visit: Visit, Query(fields): Query<Fields>) -> Result<Json<Items<Queue>>, Problem> {
    fields.only(&["name", "limit", "memory"])?;
    let part = fields.text("name").unwrap_or_default().to_lowercase();
    let limit = fields.parsed::<usize>("limit")?.unwrap_or(usize::MAX);
    let mut names = visit.queues(Right::View).await?;
    names.retain(|name| name.as_str().to_lowercase().contains(&part));
    names.truncate(limit);
    let inspector = visit.inspector_of_all(Right::View)?;
    let queues = if fields.flag("memory") {
        infos(inspector, &names).await?
    } else {
        inspector.counts_of(&names).await?
    };
    Ok(Json(Items { items: queues.iter().map(Queue::new).collect() }))
}

/// One queue.
pub(crate) async fn one(visit: Visit, Path(queue): Path<String>) -> Result<Json<Queue>, Problem> {
    let queue = name(&queue);
    Ok(Json(Queue::new(&visit.inspector(Right::View, queue)?.queue_info(queue).await?)))
}

/// Deletes a queue: one that is empty, or with `force` its tasks too. `confirm` repeats its name.
pub(crate) async fn delete(
    visit: Visit,
    Path(queue): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<StatusCode, Problem> {
    let queue = name(&queue);
    fields.only(&["force", "confirm"])?;
    let inspector = visit.inspector(Right::DeleteQueue, queue)?;
    if fields.raw("confirm") != Some(queue) {
        return Err(Problem::new("not_confirmed", "the parameter `confirm` must be the name of the queue"));
    }
    let deleted = if fields.flag("force") {
        inspector.force_delete_queue(queue).await
    } else {
        inspector.delete_queue(queue).await
    };
    visit.audited("delete_queue", queue, "", deleted).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paused {
    pub(super) paused: bool,
}

/// Pauses or resumes; it is no error when it is so already.
pub(crate) async fn set_paused(
    visit: Visit,
    Path(queue): Path<String>,
    Json(wanted): Json<Paused>,
) -> Result<Json<Paused>, Problem> {
    let queue = name(&queue);
    let inspector = visit.inspector(Right::Pause, queue)?;
    let (action, changed) = if wanted.paused {
        ("pause", inspector.pause(queue).await)
    } else {
        ("resume", inspector.resume(queue).await)
    };
    // What was so already is no change.
    if !matches!(changed, Ok(false)) {
        visit.audited(action, queue, "", changed).await?;
    }
    Ok(Json(wanted))
}

/// What was processed on each of the last days, today first.
pub(crate) async fn history(
    visit: Visit,
    Path(queue): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Json<Items<Day>>, Problem> {
    let queue = name(&queue);
    fields.only(&["days"])?;
    let days = fields.parsed("days")?.unwrap_or(DAYS);
    let history = visit.inspector(Right::View, queue)?.history(queue, days).await?;
    Ok(Json(Items { items: history.iter().map(Day::new).collect() }))
}

/// The groups that hold tasks.
pub(crate) async fn groups(visit: Visit, Path(queue): Path<String>) -> Result<Json<Items<Group>>, Problem> {
    let queue = name(&queue);
    let groups = visit.inspector(Right::View, queue)?.groups(queue).await?;
    Ok(Json(Items { items: groups.into_iter().map(Group::new).collect() }))
}
