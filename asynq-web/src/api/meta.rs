//! What this is, and what the caller may do.

use axum::Json;
use serde::Serialize;

use crate::rights::Right;
use crate::visit::Visit;

#[derive(Serialize)]
pub(crate) struct Meta {
    version: &'static str,
    title: String,
    badge: Option<String>,
    accent: Option<&'static str>,
    visitor: String,
    rights: Vec<&'static str>,
    time: String,
}

/// What this is, and what the caller may do.
pub(crate) async fn meta(visit: Visit) -> Json<Meta> {
    let rights = Right::ALL.into_iter().filter(|right| visit.rights().have(*right)).map(Right::as_str);
    Json(Meta {
        version: env!("CARGO_PKG_VERSION"),
        title: visit.shared.title.clone(),
        badge: visit.shared.badge.as_ref().map(|badge| badge.text.clone()),
        accent: visit.shared.badge.as_ref().map(|badge| badge.accent.as_str()),
        visitor: visit.visitor.name().to_owned(),
        rights: rights.collect(),
        time: visit.now().to_string(),
    })
}
