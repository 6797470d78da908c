//! Tasks counted by kind of error, and by type.

use std::collections::BTreeMap;

use asynq_core::task::TaskState;
use axum::Json;
use axum::extract::Query;
use serde::Serialize;

use super::shapes::time;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::tallies::{Counted, States};
use crate::visit::Visit;

/// What was counted, and of how many tasks.
#[derive(Serialize)]
pub(crate) struct Tally<T> {
    items: Vec<T>,
    /// How many tasks were looked at, the latest.
    scanned: usize,
    /// Whether these were all.
    complete: bool,
    /// How many there are, where that is known.
    total: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct OfKind {
    kind: String,
    /// The filter that finds them.
    filter: String,
    tasks: usize,
    types: BTreeMap<String, usize>,
    example: String,
    last_failed_at: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct OfType {
    #[serde(rename = "type")]
    task_type: String,
    tasks: usize,
    states: BTreeMap<&'static str, usize>,
}

/// Which errors there are, of how many tasks.
pub(crate) async fn errors(
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Json<Tally<OfKind>>, Problem> {
    let states = fields.parsed::<TaskState>("state")?.map_or(States::Failed, States::One);
    let counted = count(&visit, &fields, states).await?;
    let items = counted.tally.errors.iter().map(|error| OfKind {
        kind: error.kind.to_string(),
        filter: error.kind.filter(),
        tasks: error.tasks,
        types: error.types.clone(),
        example: error.example.clone(),
        last_failed_at: time(error.last_failed_at),
    });
    Ok(Json(Tally::new(&counted, items.collect())))
}

/// How many tasks there are of each type.
pub(crate) async fn types(
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Json<Tally<OfType>>, Problem> {
    let states = fields.parsed::<TaskState>("state")?.map_or(States::All, States::One);
    let counted = count(&visit, &fields, states).await?;
    let items = counted.tally.types.iter().map(|(task_type, states)| OfType {
        task_type: task_type.clone(),
        tasks: states.values().sum(),
        states: states.iter().map(|(state, tasks)| (state.as_str(), *tasks)).collect(),
    });
    Ok(Json(Tally::new(&counted, items.collect())))
}

async fn count(visit: &Visit, fields: &Fields, states: States) -> Result<std::sync::Arc<Counted>, Problem> {
    fields.only(&["queue", "state"])?;
    visit.tally(fields.text("queue"), states).await
}

impl<T> Tally<T> {
    fn new(counted: &Counted, items: Vec<T>) -> Self {
        let (scanned, complete) = (counted.tally.scanned, counted.tally.is_complete);
        Self { items, scanned, complete, total: counted.of }
    }
}
