//! A task, its options and the time → what the broker is to store. Pure.

use std::time::Duration;

use jiff::Timestamp;
use tracing::Span;

use crate::broker::{NewTask, Placement};
use crate::clock::floor_seconds;
use crate::error::Result;
use crate::payload::Payloads;
use crate::task::{
    DEFAULT_MAX_RETRY, DEFAULT_TIMEOUT, InvalidOption, Names, ProcessTime, RandomIds, Task, TaskInfo,
    TaskState, unique_key, wire_seconds,
};
use crate::wire::keys::Keyspace;
use crate::wire::{LAYERS_HEADER, TaskMessage};

/// What is stored, and what the caller is told about it.
pub(super) struct Plan {
    pub(super) new: NewTask,
    pub(super) info: TaskInfo,
    /// The span in which it is enqueued, if traces are taken along.
    pub(super) span: Span,
}

/// Applies Go's rules and defaults. A task that has no ID takes the next one.
pub(super) fn plan(
    task: Task,
    payloads: &Payloads,
    keyspace: &Keyspace,
    now: Timestamp,
    ids: &mut RandomIds,
) -> Result<Plan> {
    let Task { task_type, payload, headers, options, layers } = task;
    if let Some(invalid) = options.invalid {
        return Err(invalid.into());
    }
    options.check_unique()?;
    let queue = options.queue.unwrap_or_default();
    let id = options.task_id.unwrap_or_else(|| ids.next());
    let process_at = match options.process {
        Some(ProcessTime::At(at)) => at,
        Some(ProcessTime::In(delay)) => later(now, delay, "process_in")?,
        None => now,
    };
    let deadline = match options.expires_in {
        Some(limit) => Some(later(now, limit, "expires_in")?),
        None => options.deadline,
    };
    // A deadline at the epoch is how the format says "none".
    let deadline = deadline.map_or(0, floor_seconds);
    let timeout = match options.timeout.map_or(0, wire_seconds) {
        0 if deadline == 0 => wire_seconds(DEFAULT_TIMEOUT),
        seconds => seconds,
    };
    let (unique_key, unique_ttl) = match options.unique {
        Some(ttl) => {
            let wait = process_at.duration_since(now).max(jiff::SignedDuration::ZERO);
            let ttl =
                wait.saturating_add(jiff::SignedDuration::try_from(ttl).unwrap_or(jiff::SignedDuration::MAX));
            let key = match options.unique_by {
                Some(by) => by.lock(keyspace, &queue, &task_type),
                None => unique_key(keyspace, &queue, &task_type, payload.as_deref()),
            };
            (key, ttl.as_secs().max(1))
        }
        None => (String::new(), 0),
    };
    let mut all_headers = headers;
    all_headers.extend(options.headers);
    if all_headers.contains_key(LAYERS_HEADER) {
        let reason =
            format_args!("`{LAYERS_HEADER}` says how the payload is stored, which is the client's to say");
        return Err(InvalidOption::new("header", &reason).into());
    }
    let mut message = TaskMessage {
        task_type: task_type.as_str().to_owned(),
        payload: payload.unwrap_or_default(),
        id: id.as_str().to_owned(),
        queue: queue.as_str().to_owned(),
        retry: options.max_retry.unwrap_or(DEFAULT_MAX_RETRY),
        timeout,
        deadline,
        unique_key,
        retention: options.retention.map_or(0, wire_seconds),
        group_key: options.group.unwrap_or_default(),
        headers: all_headers,
        ..TaskMessage::default()
    };
    payloads.seal(&mut message, layers)?;
    let (placement, state, next_process_at) = if process_at > now {
        (Placement::Scheduled(floor_seconds(process_at)), TaskState::Scheduled, Some(process_at))
    } else if message.group_key.is_empty() {
        (Placement::Pending, TaskState::Pending, Some(now))
    } else {
        (Placement::Group, TaskState::Aggregating, None)
    };
    let names = Names { id, queue, task_type };
    let info = TaskInfo { next_process_at, ..TaskInfo::named(names, &message, state) };
    let unique_until = options.unique_until.unwrap_or_default();
    Ok(Plan { new: NewTask { message, placement, unique_ttl, unique_until }, info, span: Span::none() })
}

fn later(now: Timestamp, by: Duration, option: &'static str) -> Result<Timestamp> {
    Ok(now
        .checked_add(by)
        .map_err(|_error| InvalidOption::new(option, &format_args!("{by:?} is past the year 9999")))?)
}
