//! Schedules that are stored: made, changed, paused, deleted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use asynq_core::Error;
use asynq_core::scheduler::{CatchUp, KnownSchedule, PeriodicTask};
use asynq_core::task::{Task, TaskOptions};
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::queues::Paused;
use super::shapes::Schedule;
use super::tasks::Content;
use crate::fields::Fields;
use crate::links::name;
use crate::problem::Problem;
use crate::rights::Right;
use crate::schedules::{deletable, known_of, managed};
use crate::visit::Visit;

/// What becomes of ticks that were missed: `none`, `last`, or how many are made up.
#[derive(Clone, Copy)]
pub(super) struct CatchUpText(pub(super) CatchUp);

impl Serialize for CatchUpText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            CatchUp::None => serializer.serialize_str("none"),
            CatchUp::Last => serializer.serialize_str("last"),
            CatchUp::All(limit) => serializer.serialize_u64(u64::try_from(limit).unwrap_or(u64::MAX)),
        }
    }
}

impl<'de> Deserialize<'de> for CatchUpText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Policy;
        impl Visitor<'_> for Policy {
            type Value = CatchUpText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none`, `last`, or a number of ticks, 1 or more")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CatchUpText, E> {
                match text {
                    "none" => Ok(CatchUpText(CatchUp::None)),
                    "last" => Ok(CatchUpText(CatchUp::Last)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<CatchUpText, E> {
                match usize::try_from(number) {
                    Ok(limit @ 1..) => Ok(CatchUpText(CatchUp::All(limit))),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }
        }
        deserializer.deserialize_any(Policy)
    }
}

/// A schedule to be stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    name: String,
    spec: String,
    time_zone: Option<String>,
    #[serde(rename = "type")]
    task_type: String,
    queue: Option<String>,
    payload: Option<Content>,
    group: Option<String>,
    max_retry: Option<u32>,
    timeout_ms: Option<u64>,
    expires_in_ms: Option<u64>,
    unique_ms: Option<u64>,
    retention_ms: Option<u64>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    catch_up: Option<CatchUpText>,
}

/// What is to be changed in a schedule; what is not named stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// As it was read: nothing is changed when it is another by now.
    revision: Option<String>,
    spec: Option<String>,
    time_zone: Option<String>,
    queue: Option<String>,
    payload: Option<Content>,
    group: Option<String>,
    max_retry: Option<u32>,
    timeout_ms: Option<u64>,
    expires_in_ms: Option<u64>,
    unique_ms: Option<u64>,
    retention_ms: Option<u64>,
    /// `null` removes one.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    catch_up: Option<CatchUpText>,
    /// Names of options to take back.
    #[serde(default)]
    unset: Vec<String>,
}

/// Options of which each may be given.
struct Given {
    queue: Option<String>,
    group: Option<String>,
    max_retry: Option<u32>,
    timeout_ms: Option<u64>,
    expires_in_ms: Option<u64>,
    unique_ms: Option<u64>,
    retention_ms: Option<u64>,
}

impl Given {
    fn options(self) -> TaskOptions {
        let mut options = TaskOptions::new();
        if let Some(queue) = self.queue {
            options = options.queue(queue);
        }
        if let Some(group) = self.group {
            options = options.group(group);
        }
        if let Some(times) = self.max_retry {
            options = options.max_retry(times);
        }
        if let Some(limit) = self.timeout_ms {
            options = options.timeout(Duration::from_millis(limit));
        }
        if let Some(limit) = self.expires_in_ms {
            options = options.expires_in(Duration::from_millis(limit));
        }
        if let Some(time) = self.unique_ms {
            options = options.unique(Duration::from_millis(time));
        }
        if let Some(keep) = self.retention_ms {
            options = options.retention(Duration::from_millis(keep));
        }
        options
    }
}

/// Stores a schedule.
pub(crate) async fn create(
    visit: Visit,
    Json(new): Json<New>,
) -> Result<(StatusCode, Json<Schedule>), Problem> {
    let queue = new.queue.clone().unwrap_or_else(|| "default".to_owned());
    let schedules = visit.schedules(Right::EditSchedule, Some(&queue))?;
    let given = Given {
        queue: new.queue,
        group: new.group,
        max_retry: new.max_retry,
        timeout_ms: new.timeout_ms,
        expires_in_ms: new.expires_in_ms,
        unique_ms: new.unique_ms,
        retention_ms: new.retention_ms,
    };
    let payload = new.payload.map(Content::bytes).transpose()?.unwrap_or_default();
    let mut task = Task::new(new.task_type, payload).map_err(Error::from)?.options(given.options());
    for (name, value) in new.headers {
        task = task.header(name, value);
    }
    let mut periodic = PeriodicTask::new(new.spec, task).name(&new.name);
    if let Some(zone) = new.time_zone {
        periodic = periodic.time_zone(zone);
    }
    if let Some(CatchUpText(policy)) = new.catch_up {
        periodic = periodic.catch_up(policy);
    }
    let created = schedules.create(periodic).await;
    let created = visit.audited("create_schedule", &queue, &new.name, created).await?;
    Ok((StatusCode::CREATED, Json(Schedule::new(&visit, &KnownSchedule::from(created)))))
}

/// Changes a schedule.
pub(crate) async fn edit(
    visit: Visit,
    Path(entry): Path<String>,
    Json(wanted): Json<Edit>,
) -> Result<Json<Schedule>, Problem> {
    let (schedules, stored) = managed(&visit, name(&entry)).await?;
    if let Some(queue) = &wanted.queue {
        // It may go to another queue.
        visit.schedules(Right::EditSchedule, Some(queue))?;
    }
    let queue = stored.queue().to_string();
    let stored_name = stored.name().to_owned();
    if wanted.revision.is_some_and(|revision| revision != stored.revision().as_str()) {
        return Err(Error::ScheduleChanged { name: stored_name }.into());
    }
    let mut changed = stored;
    if let Some(spec) = wanted.spec {
        changed.spec = spec;
    }
    if let Some(zone) = wanted.time_zone {
        changed.time_zone = zone;
    }
    if let Some(payload) = wanted.payload {
        changed.set_payload(payload.bytes()?);
    }
    if let Some(CatchUpText(policy)) = wanted.catch_up {
        changed.catch_up = Some(policy);
    }
    for option in &wanted.unset {
        if option == "catch_up" {
            changed.catch_up = None;
        } else if !changed.unset(option) {
            return Err(Problem::invalid(format!("unset: `{option}` is no option of a task")));
        }
    }
    // Taken back, it goes to the queue `default`.
    visit.schedules(Right::EditSchedule, Some(changed.queue().as_str()))?;
    let given = Given {
        queue: wanted.queue,
        group: wanted.group,
        max_retry: wanted.max_retry,
        timeout_ms: wanted.timeout_ms,
        expires_in_ms: wanted.expires_in_ms,
        unique_ms: wanted.unique_ms,
        retention_ms: wanted.retention_ms,
    };
    changed.options = std::mem::take(&mut changed.options).overlaid_by(given.options());
    for (name, value) in wanted.headers {
        match value {
            Some(value) => changed.headers.insert(name, value),
            None => changed.headers.remove(&name),
        };
    }
    let saved = schedules.save(changed).await;
    visit.audited("edit_schedule", &queue, &stored_name, saved).await?;
    Ok(Json(Schedule::new(&visit, &known_of(&visit, name(&entry)).await?)))
}

/// Pauses or resumes; it is no error when it is so already.
pub(crate) async fn set_paused(
    visit: Visit,
    Path(entry): Path<String>,
    Json(wanted): Json<Paused>,
) -> Result<Json<Paused>, Problem> {
    let (schedules, stored) = managed(&visit, name(&entry)).await?;
    let (action, changed) = if wanted.paused {
        ("pause_schedule", schedules.pause(stored.name()).await)
    } else {
        ("resume_schedule", schedules.resume(stored.name()).await)
    };
    // What was so already is no change.
    if !matches!(changed, Ok(false)) {
        visit.audited(action, stored.queue().as_str(), stored.name(), changed).await?;
    }
    Ok(Json(wanted))
}

/// Deletes a schedule, also one that cannot be read.
pub(crate) async fn delete(
    visit: Visit,
    Path(entry): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<StatusCode, Problem> {
    fields.only(&[])?;
    let (stored, queue) = deletable(&visit, name(&entry)).await?;
    let place = Some(queue.as_str()).filter(|queue| !queue.is_empty());
    let deleted = visit.schedules(Right::EditSchedule, place)?.delete(&stored).await;
    visit.audited("delete_schedule", &queue, &stored, deleted).await?;
    Ok(StatusCode::NO_CONTENT)
}
