//! What asynqmon answers, field by field.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use asynq_core::inspector::{
    DailyStats, EnqueueEvent, GroupInfo, QueueInfo, RunningTask, ScheduledEntry, ServerStatus,
};
use asynq_core::task::{TaskInfo, TaskState};
use asynq_core::wire::GoDuration;
use jiff::Timestamp;
use serde::Serialize;

use crate::rights::Right;
use crate::visit::Visit;

/// What it gives for bytes that are no text, and for none at all.
const NOT_PRINTABLE: &str = "non-printable bytes";

/// In a list, what a task carries is cut here.
const CUT: usize = 4 * 1024;

/// What Go writes for no time at all.
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
pub(super) struct Queue {
    #[serde(rename = "queue")]
    name: String,
    memory_usage_bytes: u64,
    size: usize,
    groups: usize,
    latency_msec: u128,
    display_latency: String,
    active: usize,
    pending: usize,
    aggregating: usize,
    scheduled: usize,
    retry: usize,
    archived: usize,
    completed: usize,
    processed: u64,
    succeeded: u64,
    failed: u64,
    paused: bool,
    timestamp: String,
}

impl Queue {
    pub(super) fn new(info: &QueueInfo) -> Self {
        let hundredths = (info.latency.as_millis() + 5) / 10;
        let rounded = Duration::from_millis(u64::try_from(hundredths * 10).unwrap_or(u64::MAX));
        Self {
            name: info.queue.to_string(),
            memory_usage_bytes: info.memory_usage.unwrap_or(0),
            size: info.size(),
            groups: info.groups,
            latency_msec: info.latency.as_millis(),
            display_latency: GoDuration::from(rounded).to_string(),
            active: info.active,
            pending: info.pending,
            aggregating: info.aggregating,
            scheduled: info.scheduled,
            retry: info.retry,
            archived: info.archived,
            completed: info.completed,
            processed: info.processed,
            succeeded: info.processed.saturating_sub(info.failed),
            failed: info.failed,
            paused: info.is_paused(),
            timestamp: info.at.to_string(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Day {
    queue: String,
    processed: u64,
    succeeded: u64,
    failed: u64,
    date: String,
}

impl Day {
    pub(super) fn all(queue: &str, days: &[DailyStats]) -> Vec<Self> {
        let day = |day: &DailyStats| Self {
            queue: queue.to_owned(),
            processed: day.processed,
            succeeded: day.processed.saturating_sub(day.failed),
            failed: day.failed,
            date: day.date.to_string(),
        };
        days.iter().map(day).collect()
    }
}

#[derive(Serialize)]
pub(super) struct Group {
    group: String,
    size: usize,
}

impl Group {
    pub(super) fn all(groups: Vec<GroupInfo>) -> Vec<Self> {
        groups.into_iter().map(|group| Self { group: group.group, size: group.size }).collect()
    }
}

/// A task in a list: what all states have, and what its state has beside that.
#[derive(Serialize)]
pub(super) struct Row {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    payload: String,
    queue: String,
    max_retry: i32,
    retried: i32,
    error_message: String,
    #[serde(flatten)]
    more: More,
}

#[derive(Serialize)]
#[serde(untagged)]
enum More {
    Active { start_time: String, deadline: String, is_orphaned: bool },
    Waiting { next_process_at: String },
    Archived { last_failed_at: String },
    Completed { completed_at: String, result: String, ttl_seconds: i64 },
    Aggregating { group: String },
    Nothing {},
}

impl Row {
    /// A task of a list; `running` is what workers tell of those that they run, by ID.
    pub(super) fn new(visit: &Visit, task: TaskInfo, running: &HashMap<String, RunningTask>) -> Self {
        let task = visit.seen(task);
        let running = running.get(task.id.as_str());
        let more = match task.state {
            TaskState::Active => More::Active {
                start_time: running.map_or_else(|| "-".to_owned(), |task| moment(task.started)),
                deadline: running.map_or_else(|| "-".to_owned(), |task| moment(task.deadline)),
                is_orphaned: task.is_orphaned,
            },
            TaskState::Scheduled | TaskState::Retry => {
                More::Waiting { next_process_at: moment(task.next_process_at) }
            }
            TaskState::Archived => More::Archived { last_failed_at: moment(task.last_failed_at) },
            TaskState::Completed => More::Completed {
                completed_at: moment(task.completed_at),
                result: shown(visit, task.queue.as_str(), task.result.as_deref().unwrap_or_default(), CUT),
                ttl_seconds: time_to_live(visit, &task),
            },
            TaskState::Aggregating => More::Aggregating { group: task.group.clone() },
            _ => More::Nothing {},
        };
        Self {
            id: task.id.to_string(),
            kind: task.task_type.to_string(),
            payload: shown(visit, task.queue.as_str(), &task.payload, CUT),
            queue: task.queue.to_string(),
            max_retry: task.max_retry,
            retried: task.retried,
            error_message: task.last_error.clone(),
            more,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Task {
    id: String,
    queue: String,
    #[serde(rename = "type")]
    kind: String,
    payload: String,
    state: &'static str,
    max_retry: i32,
    retried: i32,
    error_message: String,
    last_failed_at: String,
    timeout_seconds: u64,
    deadline: String,
    next_process_at: String,
    completed_at: String,
    result: String,
    ttl_seconds: i64,
}

impl Task {
    pub(super) fn new(visit: &Visit, task: TaskInfo) -> Self {
        let task = visit.seen(task);
        let time = |at: Option<Timestamp>| at.map(to_the_second).unwrap_or_default();
        let queue = task.queue.as_str();
        Self {
            id: task.id.to_string(),
            queue: queue.to_owned(),
            kind: task.task_type.to_string(),
            payload: shown(visit, queue, &task.payload, usize::MAX),
            state: task.state.as_str(),
            max_retry: task.max_retry,
            retried: task.retried,
            error_message: task.last_error.clone(),
            last_failed_at: time(task.last_failed_at),
            timeout_seconds: task.timeout.as_secs(),
            deadline: time(task.deadline),
            next_process_at: time(task.next_process_at),
            completed_at: time(task.completed_at),
            result: shown(visit, queue, task.result.as_deref().unwrap_or_default(), usize::MAX),
            ttl_seconds: time_to_live(visit, &task),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Server {
    id: String,
    host: String,
    pid: i32,
    concurrency: i32,
    queue_priorities: BTreeMap<String, i32>,
    strict_priority_enabled: bool,
    start_time: String,
    status: String,
    active_workers: Vec<Worker>,
}

#[derive(Serialize)]
struct Worker {
    task_id: String,
    queue: String,
    task_type: String,
    task_payload: String,
    start_time: String,
}

impl Server {
    pub(super) fn new(visit: &Visit, server: ServerStatus) -> Self {
        let worker = |task: RunningTask| Worker {
            task_id: task.id.to_string(),
            task_payload: shown(
                visit,
                task.queue.as_str(),
                &visit.shown(task.queue.as_str(), task.payload),
                CUT,
            ),
            queue: task.queue.to_string(),
            task_type: task.task_type.to_string(),
            start_time: moment(task.started),
        };
        Self {
            id: server.id,
            host: server.host,
            pid: server.pid,
            concurrency: server.concurrency,
            queue_priorities: server.queues,
            strict_priority_enabled: server.strict_priority,
            start_time: moment(server.started),
            status: server.status,
            active_workers: server.running.into_iter().map(worker).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Entry {
    id: String,
    spec: String,
    task_type: String,
    task_payload: String,
    options: Vec<String>,
    next_enqueue_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_enqueue_at: Option<String>,
}

impl Entry {
    pub(super) fn new(visit: &Visit, entry: &ScheduledEntry) -> Self {
        Self {
            id: entry.id.clone(),
            spec: entry.spec.clone(),
            task_type: entry.task_type.to_string(),
            task_payload: shown(
                visit,
                entry.queue(),
                &visit.shown(entry.queue(), entry.payload.clone()),
                usize::MAX,
            ),
            options: entry.options.iter().map(ToString::to_string).collect(),
            next_enqueue_at: moment(entry.next),
            prev_enqueue_at: entry.prev.map(to_the_second),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Event {
    task_id: String,
    enqueued_at: String,
}

impl Event {
    pub(super) fn new(event: EnqueueEvent) -> Self {
        Self { task_id: event.task_id, enqueued_at: moment(event.enqueued_at) }
    }
}

/// What a task carries, for who may see it; what is masked is hidden already.
fn shown(visit: &Visit, queue: &str, bytes: &[u8], longest: usize) -> String {
    if !visit.may(Right::ViewPayload, queue) {
        return String::new();
    }
    printable(bytes, longest)
}

/// Text as it is, cut where it is too long; and a word for what is none, or blank.
fn printable(bytes: &[u8], longest: usize) -> String {
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.trim().is_empty() && !text.contains(is_odd) => {
            match text.char_indices().find(|(at, _)| *at >= longest) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text.to_owned(),
            }
        }
        _ => NOT_PRINTABLE.to_owned(),
    }
}

/// How long a completed task is kept, in seconds.
fn time_to_live(visit: &Visit, task: &TaskInfo) -> i64 {
    let Some(completed) = task.completed_at.filter(|_| task.state == TaskState::Completed) else { return 0 };
    let kept = i64::try_from(task.retention.as_secs()).unwrap_or(i64::MAX);
    let gone = visit.now().duration_since(completed);
    // Down to the whole second.
    kept.saturating_sub(gone.as_secs()).saturating_sub(i64::from(gone.subsec_nanos() > 0))
}

/// As Go writes a time in JSON, or none.
fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NEVER.to_owned(), to_the_second)
}

fn to_the_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_and_bytes_are_named() {
        assert_eq!(printable(b"{\"a\":1}", usize::MAX), "{\"a\":1}");
        assert_eq!(printable(b"two\nlines", usize::MAX), "two\nlines");
        for bytes in [&b""[..], b" \n", b"\xff", b"a\x00b"] {
            assert_eq!(printable(bytes, usize::MAX), NOT_PRINTABLE, "{bytes:?}");
        }
        assert_eq!(printable("aéb".as_bytes(), 2), "aé…");
    }
}
