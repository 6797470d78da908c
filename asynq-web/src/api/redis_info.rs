//! Redis, as it tells about itself.

use asynq_core::inspector::StoreInfo;
use axum::Json;
use serde::Serialize;

use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

#[derive(Serialize)]
pub(crate) struct Redis {
    time: String,
    info: StoreInfo,
}

/// What Redis tells about itself, and its time.
pub(crate) async fn info(visit: Visit) -> Result<Json<Redis>, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?;
    Ok(Json(Redis { time: inspector.store_time().await?.to_string(), info: inspector.store_info().await? }))
}
