//! What the API gives: the store's things as JSON. Times are RFC 3339 in UTC, lengths of time in milliseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use asynq_core::inspector::{
    DailyStats, EnqueueEvent, GroupInfo, LockInfo, QueueInfo, RunningTask, ServerStatus, TaskDetail,
};
use asynq_core::scheduler::{KnownSchedule, in_words};
use asynq_core::task::TaskInfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use super::managing::CatchUpText;
use crate::bulk::{End, Run};
use crate::pages::opened;
use crate::rights::Right;
use crate::schedules::next_times;
use crate::visit::Visit;

/// In a list, what a task carries is cut here.
const CUT: usize = 4 * 1024;

/// A list of things.
#[derive(Serialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
}

/// What a task carries.
#[derive(Serialize)]
pub(super) struct Content {
    /// How many bytes it has.
    size: usize,
    /// Whether the whole of it is here.
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Content {
    fn whole(bytes: &[u8]) -> Self {
        Self::cut(bytes, usize::MAX)
    }

    fn cut(bytes: &[u8], longest: usize) -> Self {
        let mut part = bytes.get(..longest).unwrap_or(bytes);
        // A character that was cut in two is left out.
        if let Err(error) = std::str::from_utf8(part)
            && error.error_len().is_none()
            && part.len() < bytes.len()
        {
            part = part.get(..error.valid_up_to()).unwrap_or(part);
        }
        let text = std::str::from_utf8(part).ok().map(str::to_owned);
        let base64 = text.is_none().then(|| STANDARD.encode(part));
        Self { size: bytes.len(), complete: part.len() == bytes.len(), text, base64 }
    }
}

#[derive(Serialize)]
pub(super) struct Queue {
    #[serde(rename = "queue")]
    name: String,
    size: usize,
    active: usize,
    pending: usize,
    scheduled: usize,
    retry: usize,
    archived: usize,
    completed: usize,
    aggregating: usize,
    groups: usize,
    orphaned: usize,
    latency_ms: u64,
    processed_today: u64,
    failed_today: u64,
    processed_total: u64,
    failed_total: u64,
    paused_since: Option<String>,
    memory_bytes: Option<u64>,
    read_at: String,
}

impl Queue {
    pub(super) fn new(info: &QueueInfo) -> Self {
        Self {
            name: info.queue.to_string(),
            size: info.size(),
            active: info.active,
            pending: info.pending,
            scheduled: info.scheduled,
            retry: info.retry,
            archived: info.archived,
            completed: info.completed,
            aggregating: info.aggregating,
            groups: info.groups,
            orphaned: info.orphaned,
            latency_ms: millis(info.latency),
            processed_today: info.processed,
            failed_today: info.failed,
            processed_total: info.processed_total,
            failed_total: info.failed_total,
            paused_since: time(info.paused_since),
            memory_bytes: info.memory_usage,
            read_at: info.at.to_string(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Day {
    date: String,
    processed: u64,
    failed: u64,
}

impl Day {
    pub(super) fn new(day: &DailyStats) -> Self {
        Self { date: day.date.to_string(), processed: day.processed, failed: day.failed }
    }
}

#[derive(Serialize)]
pub(super) struct Group {
    #[serde(rename = "group")]
    name: String,
    size: usize,
}

impl Group {
    pub(super) fn new(group: GroupInfo) -> Self {
        Self { name: group.group, size: group.size }
    }
}

#[derive(Serialize)]
pub(super) struct Task {
    id: String,
    queue: String,
    #[serde(rename = "type")]
    kind: String,
    state: &'static str,
    orphaned: bool,
    /// `null` for who may not see it.
    payload: Option<Content>,
    result: Option<Content>,
    headers: BTreeMap<String, String>,
    max_retry: i32,
    retried: i32,
    last_error: Option<String>,
    last_failed_at: Option<String>,
    process_at: Option<String>,
    timeout_ms: u64,
    deadline: Option<String>,
    group: Option<String>,
    retention_ms: u64,
    completed_at: Option<String>,
}

impl Task {
    /// One of a list: what it carries is cut.
    pub(super) fn listed(visit: &Visit, info: &TaskInfo) -> Self {
        Self::new(visit, info, CUT)
    }

    pub(super) fn whole(visit: &Visit, info: &TaskInfo) -> Self {
        Self::new(visit, info, usize::MAX)
    }

    fn new(visit: &Visit, info: &TaskInfo, longest: usize) -> Self {
        let info = &visit.seen(info.clone());
        let is_shown = visit.may(Right::ViewPayload, info.queue.as_str());
        let payload = || opened(visit, info).unwrap_or_else(|_| info.payload.clone());
        let headers = info.headers.iter().filter(|_| is_shown);
        Self {
            id: info.id.to_string(),
            queue: info.queue.to_string(),
            kind: info.task_type.to_string(),
            state: info.state.as_str(),
            orphaned: info.is_orphaned,
            payload: is_shown.then(|| Content::cut(&payload(), longest)),
            result: info.result.as_ref().filter(|_| is_shown).map(|result| Content::cut(result, longest)),
            headers: headers.map(|(name, value)| (name.clone(), value.clone())).collect(),
            max_retry: info.max_retry,
            retried: info.retried,
            last_error: text(&info.last_error),
            last_failed_at: time(info.last_failed_at),
            process_at: time(info.next_process_at),
            timeout_ms: millis(info.timeout),
            deadline: time(info.deadline),
            group: text(&info.group),
            retention_ms: millis(info.retention),
            completed_at: time(info.completed_at),
        }
    }
}

/// A task with what stands behind it.
#[derive(Serialize)]
pub(super) struct Detail {
    #[serde(flatten)]
    task: Task,
    pending_since: Option<String>,
    lease_until: Option<String>,
    server_id: Option<String>,
    crashes: u32,
    lock: Option<Lock>,
}

#[derive(Serialize)]
struct Lock {
    key: String,
    holder: Option<String>,
    expires_in_ms: Option<u64>,
    until: &'static str,
}

impl Detail {
    pub(super) fn new(visit: &Visit, detail: &TaskDetail) -> Self {
        let lock = |lock: &LockInfo| Lock {
            key: lock.key.clone(),
            holder: lock.holder.clone(),
            expires_in_ms: lock.expires_in.map(millis),
            until: lock.until.as_str(),
        };
        let mut task = Task::whole(visit, &detail.info);
        task.group = task.group.or_else(|| text(&detail.group));
        Self {
            task,
            pending_since: time(detail.pending_since),
            lease_until: time(detail.lease_until),
            server_id: detail.server_id.clone(),
            crashes: detail.crashes,
            lock: detail.lock.as_ref().map(lock),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Server {
    id: String,
    host: String,
    pid: i32,
    status: String,
    started_at: Option<String>,
    /// Of ours; of Go's servers it is not known.
    version: Option<String>,
    concurrency: i32,
    queues: BTreeMap<String, i32>,
    strict_priority: bool,
    running: Vec<Running>,
}

#[derive(Serialize)]
struct Running {
    id: String,
    queue: String,
    #[serde(rename = "type")]
    kind: String,
    payload: Option<Content>,
    started_at: Option<String>,
    deadline: Option<String>,
}

impl Server {
    pub(super) fn new(visit: &Visit, server: ServerStatus) -> Self {
        let running = |task: RunningTask| Running {
            id: task.id.to_string(),
            queue: task.queue.to_string(),
            kind: task.task_type.to_string(),
            payload: visit
                .may(Right::ViewPayload, task.queue.as_str())
                .then(|| Content::cut(&visit.shown(task.queue.as_str(), task.payload.clone()), CUT)),
            started_at: time(task.started),
            deadline: time(task.deadline),
        };
        Self {
            id: server.id,
            host: server.host,
            pid: server.pid,
            status: server.status,
            started_at: time(server.started),
            version: server.version,
            concurrency: server.concurrency,
            queues: server.queues,
            strict_priority: server.strict_priority,
            running: server.running.into_iter().map(running).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Schedule {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    queue: String,
    spec: String,
    /// `null` where we cannot read it.
    in_words: Option<String>,
    options: Vec<String>,
    payload: Option<Content>,
    prev_at: Option<String>,
    /// The next times, as far as we can tell.
    next_at: Vec<String>,
    /// `live`, `paused` or `idle`.
    state: &'static str,
    /// What is stored of it; `null` for one that is written in a program.
    stored: Option<Stored>,
}

/// What is stored of a schedule.
#[derive(Serialize)]
struct Stored {
    name: String,
    spec: String,
    time_zone: String,
    /// `none`, `last`, how many, or `null` for what the scheduler says.
    catch_up: Option<CatchUpText>,
    paused_since: Option<String>,
    created_at: String,
    changed_at: String,
    revision: String,
}

impl Schedule {
    pub(super) fn new(visit: &Visit, schedule: &KnownSchedule) -> Self {
        let entry = &schedule.entry;
        let options =
            entry.options.iter().map(ToString::to_string).chain(entry.unreadable_options.iter().cloned());
        Self {
            id: entry.id.clone(),
            kind: entry.task_type.to_string(),
            queue: entry.queue().to_owned(),
            spec: entry.spec.clone(),
            in_words: in_words(&entry.spec),
            options: options.collect(),
            payload: visit
                .may(Right::ViewPayload, entry.queue())
                .then(|| Content::whole(&visit.shown(entry.queue(), entry.payload.clone()))),
            prev_at: time(entry.prev),
            next_at: next_times(schedule, visit.now()).iter().map(ToString::to_string).collect(),
            state: schedule.state().as_str(),
            stored: schedule.stored.as_ref().map(|stored| Stored {
                name: stored.name().to_owned(),
                spec: stored.spec.clone(),
                time_zone: stored.time_zone.clone(),
                catch_up: stored.catch_up.map(CatchUpText),
                paused_since: time(stored.paused_since()),
                created_at: stored.created_at().to_string(),
                changed_at: stored.changed_at().to_string(),
                revision: stored.revision().to_string(),
            }),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Fired {
    task_id: String,
    enqueued_at: Option<String>,
}

impl Fired {
    pub(super) fn new(event: EnqueueEvent) -> Self {
        Self { task_id: event.task_id, enqueued_at: time(event.enqueued_at) }
    }
}

/// A change to many tasks.
#[derive(Serialize)]
pub(super) struct Change {
    id: String,
    action: &'static str,
    about: String,
    visitor: String,
    began_at: String,
    state: &'static str,
    changed: usize,
    failed: usize,
    failures: Vec<Failed>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Failed {
    queue: String,
    id: String,
    reason: String,
}

impl Change {
    pub(super) fn new(run: &Run) -> Self {
        let progress = run.progress();
        let (state, error) = match progress.end {
            None if run.is_stopping() => ("stopping", None),
            None => ("running", None),
            Some(End::Done) => ("done", None),
            Some(End::Stopped) => ("stopped", None),
            Some(End::Failed(reason)) => ("failed", Some(reason)),
        };
        let failures = progress.failures.into_iter();
        Self {
            id: run.id.clone(),
            action: run.verb.as_str(),
            about: run.about.clone(),
            visitor: run.author.name.clone(),
            began_at: run.began.to_string(),
            state,
            changed: progress.changed,
            failed: progress.failed,
            failures: failures.map(|(key, reason)| Failed { queue: key.queue, id: key.id, reason }).collect(),
            error,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state, "running" | "stopping")
    }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_text_where_it_can_be() {
        let json = |content: Content| serde_json::to_string(&content).unwrap();
        assert_eq!(json(Content::whole(b"a")), r#"{"size":1,"complete":true,"text":"a"}"#);
        assert_eq!(json(Content::whole(&[0xff])), r#"{"size":1,"complete":true,"base64":"/w=="}"#);
        assert_eq!(json(Content::cut("aé".as_bytes(), 2)), r#"{"size":3,"complete":false,"text":"a"}"#);
        assert_eq!(json(Content::cut(&[0xff, 0xff], 1)), r#"{"size":2,"complete":false,"base64":"/w=="}"#);
    }
}
