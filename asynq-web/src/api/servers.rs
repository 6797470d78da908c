//! Servers, and what they run.

use axum::Json;

use super::shapes::{Items, Server};
use crate::pages::visible_servers;
use crate::problem::Problem;
use crate::visit::Visit;

/// All servers that live.
pub(crate) async fn list(visit: Visit) -> Result<Json<Items<Server>>, Problem> {
    let servers = visible_servers(&visit).await?;
    Ok(Json(Items { items: servers.into_iter().map(|server| Server::new(&visit, server)).collect() }))
}
