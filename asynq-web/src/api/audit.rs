//! Who changed what.

use asynq_core::inspector::{AuditEntry, AuditId};
use axum::Json;
use axum::extract::Query;
use serde::Serialize;

use crate::fields::Fields;
use crate::pages::noted;
use crate::problem::Problem;
use crate::visit::Visit;

/// The most changes that one answer has.
const MOST: usize = 1_000;

#[derive(Serialize)]
pub(crate) struct Changes {
    items: Vec<Noted>,
    next_cursor: Option<String>,
    /// Whether the store keeps them: Redis does from 5.0 on.
    kept: bool,
}

#[derive(Serialize)]
struct Noted {
    id: String,
    at: String,
    actor: String,
    action: String,
    queue: Option<String>,
    subject: String,
    outcome: String,
    changed: u64,
    failed: u64,
    address: Option<String>,
    request: String,
}

/// Who changed what, the latest first.
pub(crate) async fn list(visit: Visit, Query(fields): Query<Fields>) -> Result<Json<Changes>, Problem> {
    fields.only(&["actor", "action", "cursor", "limit"])?;
    let limit = fields.parsed::<usize>("limit")?.unwrap_or(30);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(format!("limit: it must be from 1 to {MOST}, got {limit}")));
    }
    let found = noted(&visit, &fields, limit).await?;
    Ok(Json(Changes {
        items: found.entries.into_iter().map(Noted::new).collect(),
        next_cursor: found.next.map(|next| next.to_string()),
        kept: found.is_kept,
    }))
}

impl Noted {
    fn new((id, entry): (AuditId, AuditEntry)) -> Self {
        let text = |text: String| (!text.is_empty()).then_some(text);
        Self {
            id: id.to_string(),
            at: entry.at.to_string(),
            actor: entry.actor,
            action: entry.action,
            queue: text(entry.queue),
            subject: entry.subject,
            outcome: entry.outcome,
            changed: entry.changed,
            failed: entry.failed,
            address: text(entry.address),
            request: entry.request,
        }
    }
}
