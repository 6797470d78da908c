//! The instances of this Web UI, and whether each can be reached.

use axum::Json;
use serde::Serialize;

use super::shapes::Items;
use crate::pages::standing;
use crate::visit::Visit;

#[derive(Serialize)]
pub(crate) struct Instance {
    name: String,
    /// Its first page; the API is below it.
    path: String,
    reached: bool,
    /// Why it cannot be reached.
    problem: Option<String>,
    queues: Option<usize>,
}

/// Those that the caller may see.
pub(crate) async fn list(visit: Visit) -> Json<Items<Instance>> {
    let instance = |one: crate::pages::Standing| Instance {
        name: one.name,
        path: one.link.to_string(),
        reached: one.problem.is_none(),
        problem: one.problem.map(|problem| problem.detail),
        queues: one.queues,
    };
    Json(Items { items: standing(&visit).await.into_iter().map(instance).collect() })
}
