//! What this is, and what the caller may do.

use axum::Json;
use serde::Serialize;

use crate::rights::Right;
use crate::visit::Visit;

#[derive(Serialize)]
pub(crate) struct Meta {
    version: &'static str,
    title: String,
    /// Empty where there is only one, without a name, and before all of them.
    instance: String,
    /// Those that the caller may see.
    instances: Vec<String>,
    badge: Option<String>,
    accent: Option<&'static str>,
    visitor: String,
    rights: Vec<&'static str>,
    time: String,
}

/// What this is, and what the caller may do.
pub(crate) async fn meta(visit: Visit) -> Json<Meta> {
    let rights = Right::ALL.into_iter().filter(|right| visit.rights().have(*right)).map(Right::as_str);
    let instance = if visit.is_before_all() { "" } else { &*visit.shared.name };
    let instances = visit.instances.reached_by(visit.rights());
    Json(Meta {
        version: env!("CARGO_PKG_VERSION"),
        title: visit.shared.title.clone(),
        instance: instance.to_owned(),
        instances: instances.map(|shared| shared.name.to_string()).collect(),
        badge: visit.shared.badge.as_ref().map(|badge| badge.text.clone()),
        accent: visit.shared.badge.as_ref().map(|badge| badge.accent.as_str()),
        visitor: visit.visitor.name().to_owned(),
        rights: rights.collect(),
        time: visit.now().to_string(),
    })
}
