//! Tasks: found, looked at, enqueued, changed.

use std::collections::BTreeMap;
use std::time::Duration;

use asynq_core::inspector::{Search, SearchCursor, TaskEdit};
use asynq_core::task::{Task as NewTask, TaskOptions, TaskState};
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::shapes::{Detail, Task};
use crate::actions::Matching;
use crate::fields::Fields;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// The most tasks that one answer has.
const MOST: usize = 1_000;

/// Some tasks, and how far the search came.
#[derive(Serialize)]
pub(crate) struct Found {
    items: Vec<Task>,
    /// Where to go on; `null` at the end.
    next_cursor: Option<String>,
    /// How many tasks were looked at for this answer.
    scanned: usize,
    unreadable: Vec<Unreadable>,
}

#[derive(Serialize)]
struct Unreadable {
    queue: String,
    id: String,
    reason: String,
}

/// Tasks of one or all queues, in one or all states, that fit a filter.
pub(crate) async fn list(visit: Visit, Query(fields): Query<Fields>) -> Result<Json<Found>, Problem> {
    fields.only(&["queue", "state", "group", "filter", "order", "cursor", "limit"])?;
    let limit = fields.parsed::<usize>("limit")?.unwrap_or(30);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(format!("limit: it must be from 1 to {MOST}, got {limit}")));
    }
    let matching = Matching {
        queue: fields.text("queue").map(str::to_owned),
        state: fields.parsed::<TaskState>("state")?,
        group: fields.text("group").map(str::to_owned),
        filter: visit.filter(fields.raw("filter").unwrap_or_default())?,
    };
    let mut search = Search::new(matching.selection(&visit, None).await?.limit(limit));
    match fields.text("order") {
        None | Some("first") => {}
        Some("last") => search = search.last_first(),
        Some(other) => return Err(Problem::invalid(format!("order: `{other}` must be first or last"))),
    }
    if let Some(cursor) = fields.parsed::<SearchCursor>("cursor")? {
        search = search.from(cursor);
    }
    let part = visit.search(Right::View, &search).await?;
    let unreadable = part.unreadable.iter().map(|(queue, task)| Unreadable {
        queue: queue.to_string(),
        id: task.id.to_string(),
        reason: task.reason.to_string(),
    });
    Ok(Json(Found {
        items: part.tasks.iter().map(|task| Task::listed(&visit, task)).collect(),
        next_cursor: part.next.as_ref().map(ToString::to_string),
        scanned: part.scanned,
        unreadable: unreadable.collect(),
    }))
}

/// One task.
pub(crate) async fn one(
    visit: Visit,
    Path((queue, id)): Path<(String, String)>,
) -> Result<Json<Detail>, Problem> {
    let (queue, id) = (name(&queue), name(&id));
    let detail = visit.task(Right::View, queue, id).await?;
    Ok(Json(Detail::new(&visit, &detail)))
}

/// A payload in a request: text, or bytes in base64.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Content {
    Text(String),
    Base64(String),
    Json(Box<serde_json::value::RawValue>),
}

impl Content {
    pub(super) fn bytes(self) -> Result<Bytes, Problem> {
        match self {
            Self::Text(text) => Ok(text.into()),
            Self::Json(json) => Ok(json.get().to_owned().into()),
            Self::Base64(text) => match STANDARD.decode(&text) {
                Ok(bytes) => Ok(bytes.into()),
                Err(error) => Err(Problem::invalid(format!("payload: it is no base64: {error}"))),
            },
        }
    }
}

/// A task to be enqueued.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    queue: Option<String>,
    #[serde(rename = "type")]
    task_type: String,
    payload: Option<Content>,
    id: Option<String>,
    group: Option<String>,
    max_retry: Option<u32>,
    timeout_ms: Option<u64>,
    deadline: Option<Timestamp>,
    unique_ms: Option<u64>,
    process_at: Option<Timestamp>,
    process_in_ms: Option<u64>,
    retention_ms: Option<u64>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Enqueues a task.
pub(crate) async fn enqueue(visit: Visit, Json(new): Json<New>) -> Result<(StatusCode, Json<Task>), Problem> {
    let queue = new.queue.as_deref().unwrap_or("default");
    let client = visit.client(queue)?;
    let mut options = TaskOptions::new().queue(queue);
    if let Some(id) = new.id {
        options = options.task_id(id);
    }
    if let Some(group) = new.group {
        options = options.group(group);
    }
    if let Some(times) = new.max_retry {
        options = options.max_retry(times);
    }
    if let Some(limit) = new.timeout_ms {
        options = options.timeout(Duration::from_millis(limit));
    }
    if let Some(at) = new.deadline {
        options = options.deadline(at);
    }
    if let Some(time) = new.unique_ms {
        options = options.unique(Duration::from_millis(time));
    }
    if let Some(at) = new.process_at {
        options = options.process_at(at);
    }
    if let Some(delay) = new.process_in_ms {
        options = options.process_in(Duration::from_millis(delay));
    }
    if let Some(keep) = new.retention_ms {
        options = options.retention(Duration::from_millis(keep));
    }
    for (name, value) in new.headers {
        options = options.header(name, value);
    }
    let payload = new.payload.map(Content::bytes).transpose()?.unwrap_or_default();
    let task = NewTask::new(new.task_type, payload).map_err(asynq_core::Error::from)?;
    let stored = client.enqueue(task.options(options)).await;
    let id = stored.as_ref().map(|stored| stored.id.to_string()).unwrap_or_default();
    let info = visit.audited("enqueue", queue, &id, stored).await?.into_info();
    Ok((StatusCode::CREATED, Json(Task::whole(&visit, &info))))
}

/// What is to be changed in a task; what is not named stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    payload: Option<Content>,
    /// The payload as it was read: nothing is changed when it is another by now.
    only_if_payload: Option<Content>,
    max_retry: Option<u32>,
    timeout_ms: Option<u64>,
    deadline: Option<Timestamp>,
    retention_ms: Option<u64>,
    process_at: Option<Timestamp>,
    process_in_ms: Option<u64>,
    /// `null` removes one.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
}

/// Changes a task.
pub(crate) async fn edit(
    visit: Visit,
    Path((queue, id)): Path<(String, String)>,
    Json(wanted): Json<Edit>,
) -> Result<Json<Task>, Problem> {
    let (queue, id) = (name(&queue), name(&id));
    let inspector = visit.inspector(Right::Edit, queue)?;
    let mut edit = TaskEdit::new();
    if let Some(payload) = wanted.payload {
        edit = edit.payload(payload.bytes()?);
    }
    if let Some(payload) = wanted.only_if_payload {
        // Whether it is this one would tell what is in it.
        if visit.hides(queue) {
            return Err(Problem::forbidden(Right::ViewSecrets, Some(queue)));
        }
        edit = edit.only_if_payload(payload.bytes()?);
    }
    if let Some(times) = wanted.max_retry {
        edit = edit.max_retry(times);
    }
    if let Some(limit) = wanted.timeout_ms {
        edit = edit.timeout(Duration::from_millis(limit));
    }
    if let Some(at) = wanted.deadline {
        edit = edit.deadline(at);
    }
    if let Some(keep) = wanted.retention_ms {
        edit = edit.retention(Duration::from_millis(keep));
    }
    if let Some(at) = wanted.process_at {
        edit = edit.process_at(at);
    }
    if let Some(delay) = wanted.process_in_ms {
        edit = edit.process_in(Duration::from_millis(delay));
    }
    for (name, value) in wanted.headers {
        edit = match value {
            Some(value) => edit.header(name, value),
            None => edit.without_header(name),
        };
    }
    let info = visit.audited("edit", queue, id, inspector.edit(queue, id, edit).await).await?;
    Ok(Json(Task::whole(&visit, &info)))
}
