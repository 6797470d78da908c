//! The JSON API, below `/api/v1`: the same functions as the pages, for programs. `openapi.json` describes it.
//!
//! Names stand in paths percent-encoded; one that is `.` or `..`, or begins with `~`, has a `~` before it. Errors are
//! `application/problem+json` with a `code` that never changes.

mod actions;
mod audit;
mod doctor;
mod export;
mod from_prometheus;
mod instances;
mod managing;
mod meta;
mod queues;
mod redis_info;
mod schedules;
mod series;
mod servers;
mod shapes;
mod suggest;
mod tally;
mod tasks;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post, put};

/// What the API is, in `OpenAPI` 3.1. A test holds it against every route and every answer.
const DOCUMENT: &str = include_str!("openapi.json");

/// All routes, below `/api/v1`.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/openapi.json", get(document))
        .route("/meta", get(meta::meta))
        .route("/instances", get(instances::list))
        .route("/queues", get(queues::list))
        .route("/queues/{queue}", get(queues::one).delete(queues::delete))
        .route("/queues/{queue}/paused", put(queues::set_paused))
        .route("/queues/{queue}/history", get(queues::history))
        .route("/queues/{queue}/groups", get(queues::groups))
        .route("/history", get(series::history))
        .route("/series", get(series::series))
        .route("/errors", get(tally::errors))
        .route("/types", get(tally::types))
        .route("/tasks", get(tasks::list).post(tasks::enqueue))
        .route("/tasks/export", get(export::export))
        .route("/tasks/actions", post(actions::act))
        .route("/tasks/{queue}/{id}", get(tasks::one).patch(tasks::edit))
        .route("/tasks/{queue}/{id}/payload", get(crate::pages::payload))
        .route("/tasks/{queue}/{id}/result", get(crate::pages::result))
        .route("/runs", get(actions::runs))
        .route("/runs/{run}", get(actions::run).delete(actions::stop))
        .route("/servers", get(servers::list))
        .route("/schedules", get(schedules::list).post(managing::create))
        .route("/schedules/{entry}", get(schedules::one).patch(managing::edit).delete(managing::delete))
        .route("/schedules/{entry}/paused", put(managing::set_paused))
        .route("/schedules/{entry}/events", get(schedules::events))
        .route("/schedules/{entry}/run", post(schedules::run))
        .route("/suggest", get(suggest::suggest))
        .route("/redis", get(redis_info::info))
        .route("/audit", get(audit::list))
        .route("/doctor", get(doctor::report))
        .route("/doctor/examinations", post(doctor::examine))
        .route("/doctor/repairs", post(doctor::repair))
}

async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
