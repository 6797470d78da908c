//! Schedules, and what they enqueued.

use asynq_core::inspector::Page;
use asynq_core::scheduler::KnownSchedule;
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use serde::Serialize;

use super::shapes::{Fired, Items, Schedule, Task};
use crate::fields::Fields;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::schedules::{fire, known, known_of};
use crate::visit::Visit;

/// Schedules, and what is none that can be read.
#[derive(Serialize)]
pub(crate) struct Known {
    items: Vec<Schedule>,
    unreadable: Vec<Unreadable>,
}

#[derive(Serialize)]
struct Unreadable {
    id: String,
    name: String,
    reason: String,
}

/// All schedules: of schedulers that live, and those that are stored.
pub(crate) async fn list(visit: Visit) -> Result<Json<Known>, Problem> {
    let known = known(&visit).await?;
    let unreadable = known.unreadable.into_iter().map(|bad| Unreadable {
        id: bad.entry_id().to_string(),
        name: bad.name,
        reason: bad.reason,
    });
    Ok(Json(Known {
        items: known.schedules.iter().map(|schedule| Schedule::new(&visit, schedule)).collect(),
        unreadable: unreadable.collect(),
    }))
}

/// One of them.
pub(crate) async fn one(visit: Visit, Path(entry): Path<String>) -> Result<Json<Schedule>, Problem> {
    Ok(Json(Schedule::new(&visit, &known_of(&visit, name(&entry)).await?)))
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
    let KnownSchedule { entry, .. } = known_of(&visit, name(&entry)).await?;
    let events = visit.inspector(Right::View, entry.queue())?.enqueue_events(&entry.id, page).await?;
    Ok(Json(Items { items: events.into_iter().map(Fired::new).collect() }))
}

/// Enqueues what it would enqueue, now.
pub(crate) async fn run(
    visit: Visit,
    Path(entry): Path<String>,
) -> Result<(StatusCode, Json<Task>), Problem> {
    let schedule = known_of(&visit, name(&entry)).await?;
    let info = fire(&visit, &schedule).await?;
    Ok((StatusCode::CREATED, Json(Task::whole(&visit, &info))))
}
