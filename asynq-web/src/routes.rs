//! Every address, and who answers there.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};

use crate::problem::Problem;
use crate::{api, assets, asynqmon, health, live, pages};

/// The largest request: a payload in a form takes up to three times its size.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// The largest request of somebody who is not known yet.
const LARGEST_LOGIN: usize = 64 * 1024;

/// All of them, below the place where we are mounted.
pub(crate) fn routes(has_asynqmon: bool) -> Router {
    let routes = Router::new()
        .route("/", get(pages::queues))
        .route("/queues/{queue}", get(pages::queue))
        .route("/queues/{queue}/pause", post(pages::pause))
        .route("/queues/{queue}/resume", post(pages::resume))
        .route("/queues/{queue}/delete", get(pages::confirm_delete).post(pages::delete))
        .route("/queues/{queue}/tasks/{id}", get(pages::task))
        .route("/queues/{queue}/tasks/{id}/payload", get(pages::payload))
        .route("/queues/{queue}/tasks/{id}/result", get(pages::result))
        .route("/queues/{queue}/tasks/{id}/edit", get(pages::edit).post(pages::save))
        .route("/tasks", get(pages::tasks))
        .route("/tasks/confirm", post(pages::confirm))
        .route("/tasks/act", post(pages::act))
        .route("/enqueue", get(pages::new_task).post(pages::enqueue))
        .route("/runs", get(pages::runs))
        .route("/runs/{run}", get(pages::run))
        .route("/runs/{run}/stop", post(pages::stop_run))
        .route("/errors", get(pages::errors))
        .route("/charts", get(pages::charts))
        .route("/charts/prometheus", get(pages::prometheus))
        .route("/servers", get(pages::servers))
        .route("/schedules", get(pages::schedules))
        .route("/schedules/new", get(pages::new_schedule).post(pages::create_schedule))
        .route("/schedules/{entry}", get(pages::schedule))
        .route("/schedules/{entry}/edit", get(pages::edit_schedule).post(pages::save_schedule))
        .route("/schedules/{entry}/pause", post(pages::pause_schedule))
        .route("/schedules/{entry}/resume", post(pages::resume_schedule))
        .route("/schedules/{entry}/delete", get(pages::confirm_delete_schedule).post(pages::delete_schedule))
        .route("/schedules/{entry}/run", post(pages::run_schedule))
        .route("/redis", get(pages::redis))
        .route("/doctor", get(pages::doctor))
        .route("/doctor/examine", post(pages::examine))
        .route("/doctor/repair", get(pages::confirm_repair).post(pages::repair))
        .route("/instances", get(pages::instances))
        .route("/settings/columns", post(pages::set_columns))
        .route("/views", post(pages::save_view))
        .route("/views/rename", post(pages::rename_view))
        .route("/views/delete", post(pages::delete_view))
        .route("/audit", get(pages::audit))
        .route("/settings", get(pages::settings).post(pages::set))
        .route("/login", get(pages::login).post(pages::log_in).layer(DefaultBodyLimit::max(LARGEST_LOGIN)))
        .route("/logout", post(pages::log_out))
        .route("/events", get(live::events))
        .route("/assets/{name}", get(assets::asset))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .nest("/api/v1", api::routes());
    let routes = if has_asynqmon { routes.route("/api/{*call}", any(asynqmon::answer)) } else { routes };
    routes.fallback(async || Problem::not_found()).layer(DefaultBodyLimit::max(LARGEST_BODY))
}
