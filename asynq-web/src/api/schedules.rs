//! Schedules, and what they enqueued.

use asynq_core::inspector::Page;
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;

use super::shapes::{Fired, Items, Schedule, Task};
use crate::fields::Fields;
use crate::links::name;
use crate::pages::{entries, entry_of, fire};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// All schedules of schedulers that live.
pub(crate) async fn list(visit: Visit) -> Result<Json<Items<Schedule>>, Problem> {
    let entries = entries(&visit).await?;
    Ok(Json(Items { items: entries.iter().map(|entry| Schedule::new(&visit, entry)).collect() }))
}

/// One of them.
pub(crate) async fn one(visit: Visit, Path(entry): Path<String>) -> Result<Json<Schedule>, Problem> {
    Ok(Json(Schedule::new(&visit, &entry_of(&visit, name(&entry)).await?)))
}

/// What it enqueued, newest first.
pub(crate) async fn events(
    visit: Visit,
    Path(entry): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Json<Items<Fired>>, Problem> {
    fields.only(&["page", "size"])?;
    let (number, size) =
        (fields.parsed("page")?.unwrap_or(1), fields.parsed("size")?.unwrap_or(Page::DEFAULT_SIZE));
    let page = Page::new(number, size).map_err(asynq_core::Error::from)?;
    let entry = entry_of(&visit, name(&entry)).await?;
    let events = visit.inspector(Right::View, entry.queue())?.enqueue_events(&entry.id, page).await?;
    Ok(Json(Items { items: events.into_iter().map(Fired::new).collect() }))
}

/// Enqueues what it would enqueue, now.
pub(crate) async fn run(
    visit: Visit,
    Path(entry): Path<String>,
) -> Result<(StatusCode, Json<Task>), Problem> {
    let entry = entry_of(&visit, name(&entry)).await?;
    let info = fire(&visit, &entry).await?;
    Ok((StatusCode::CREATED, Json(Task::whole(&visit, &info))))
}
