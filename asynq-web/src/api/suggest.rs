//! What may stand in a filter, for who writes one: names, states, queues, types.

use std::collections::BTreeSet;
use std::time::Duration;

use asynq_core::inspector::{Filter, Search, Selection};
use axum::Json;
use axum::extract::Query;
use futures_util::stream::{StreamExt as _, iter};

use super::shapes::Items;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// No more is suggested at once.
const MOST: usize = 20;

/// Types are those of so many tasks of a queue, and of so many queues.
const SAMPLE: (usize, usize) = (300, 20);

/// And no longer than this is looked.
const LIMIT: Duration = Duration::from_millis(150);

/// How many queues are looked into at one time.
const AT_A_TIME: usize = 8;

/// What begins with `prefix`, or else has it somewhere: names of a filter's words, or with `field` the values of one.
pub(crate) async fn suggest(
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Json<Items<String>>, Problem> {
    fields.only(&["field", "prefix", "queue"])?;
    let queue = fields.text("queue");
    match queue {
        Some(queue) => visit.inspector(Right::View, queue)?,
        None => visit.inspector_of_all(Right::View)?,
    };
    let known: Vec<String> = match fields.text("field") {
        None => Filter::names().map(str::to_owned).collect(),
        Some("queue") => visit.queues(Right::View).await?.iter().map(ToString::to_string).collect(),
        Some("type") => types(&visit, queue).await?.into_iter().collect(),
        Some(field) => Filter::values(field).into_iter().map(str::to_owned).collect(),
    };
    let prefix = fields.raw("prefix").unwrap_or_default().to_lowercase();
    let begins = |text: &String| text.to_lowercase().starts_with(&prefix);
    let (first, others): (Vec<String>, Vec<String>) = known.into_iter().partition(begins);
    let contains = others.into_iter().filter(|text| text.to_lowercase().contains(&prefix));
    Ok(Json(Items { items: first.into_iter().chain(contains).take(MOST).collect() }))
}

/// The types that some tasks have: of one queue, or of the first ones.
async fn types(visit: &Visit, queue: Option<&str>) -> Result<BTreeSet<String>, Problem> {
    let queues: Vec<String> = match queue {
        Some(queue) => vec![queue.to_owned()],
        None => visit.queues(Right::View).await?.iter().take(SAMPLE.1).map(ToString::to_string).collect(),
    };
    let searched = iter(queues).map(async |queue| {
        let selection = Selection::new().queue(queue).limit(SAMPLE.0);
        visit.search(Right::View, &Search::new(selection).budget(SAMPLE.0).time(LIMIT)).await
    });
    let parts: Vec<_> = searched.buffer_unordered(AT_A_TIME).collect().await;
    let mut types = BTreeSet::new();
    for part in parts {
        match part {
            Ok(part) => types.extend(part.tasks.iter().map(|task| task.task_type.to_string())),
            Err(problem) if problem.code == "queue_not_found" => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(types)
}
