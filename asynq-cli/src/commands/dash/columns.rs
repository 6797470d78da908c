//! The columns of every list: what Go's dashboard shows, and a little more.

use std::time::Duration;

use asynq_core::inspector::{EnqueueEvent, GroupInfo, QueueInfo, RunningTask, ServerStatus};
use asynq_core::scheduler::KnownSchedule;
use asynq_core::task::{QueueName, TaskId, TaskInfo, TaskState};
use jiff::Timestamp;

use super::list::{Column, Key, Row};
use super::text::grouped;
use crate::human;

/// A queue, and how much memory it takes as far as that was asked for.
#[derive(Clone, Debug)]
pub(super) struct QueueRow {
    pub(super) info: QueueInfo,
    pub(super) memory: Option<u64>,
}

/// A task, or the ID of one that cannot be read.
#[derive(Clone, Debug)]
pub(super) struct TaskRow {
    pub(super) queue: QueueName,
    pub(super) id: TaskId,
    pub(super) task: Result<Box<TaskInfo>, String>,
}

/// A task that a server runs.
#[derive(Clone, Debug)]
pub(super) struct WorkerRow {
    pub(super) host: String,
    pub(super) task: RunningTask,
}

/// A queue whose curves can be shown, or all queues.
#[derive(Clone, Debug)]
pub(super) struct CurveRow {
    pub(super) queue: Option<QueueName>,
    pub(super) size: usize,
}

impl Row for CurveRow {
    fn id(&self) -> String {
        self.queue.as_ref().map_or_else(String::new, |queue| queue.as_str().to_owned())
    }
}

impl Row for QueueRow {
    fn id(&self) -> String {
        self.info.queue.as_str().to_owned()
    }
}

impl Row for TaskRow {
    fn id(&self) -> String {
        format!("{} {}", self.queue, self.id)
    }
}

impl Row for GroupInfo {
    fn id(&self) -> String {
        self.group.clone()
    }
}

impl Row for ServerStatus {
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Row for WorkerRow {
    fn id(&self) -> String {
        format!("{} {}", self.task.queue, self.task.id)
    }
}

impl Row for KnownSchedule {
    fn id(&self) -> String {
        self.entry.id.clone()
    }
}

impl Row for EnqueueEvent {
    fn id(&self) -> String {
        self.task_id.clone()
    }
}

impl TaskRow {
    fn text(&self, read: impl FnOnce(&TaskInfo) -> String) -> String {
        self.task.as_ref().map_or_else(|_| "-".to_owned(), |task| read(task))
    }

    fn key(&self, read: impl FnOnce(&TaskInfo) -> Key) -> Key {
        self.task.as_ref().map_or(Key::Nothing, |task| read(task))
    }
}

const fn column<T>(
    heading: &'static str,
    text: fn(&T, Timestamp) -> String,
    key: fn(&T) -> Key,
) -> Column<T> {
    Column { heading, right: false, grows: false, text, key }
}

/// One whose numbers stand at the right.
const fn number<T>(
    heading: &'static str,
    text: fn(&T, Timestamp) -> String,
    key: fn(&T) -> Key,
) -> Column<T> {
    Column { heading, right: true, grows: false, text, key }
}

/// One that takes the room that others leave.
const fn long<T>(heading: &'static str, text: fn(&T, Timestamp) -> String, key: fn(&T) -> Key) -> Column<T> {
    Column { heading, right: false, grows: true, text, key }
}

pub(super) const QUEUES: &[Column<QueueRow>] = &[
    long("Queue", |row, _| human::printable(row.info.queue.as_str()), |row| text(row.info.queue.as_str())),
    column(
        "State",
        |row, _| if row.info.is_paused() { "PAUSED" } else { "RUN" }.to_owned(),
        |row| Key::Number(f64::from(u8::from(row.info.is_paused()))),
    ),
    number("Size", |row, _| grouped(row.info.size()), |row| of_count(row.info.size())),
    number("Latency", |row, _| whole_seconds(row.info.latency), |row| of_length(row.info.latency)),
    number(
        "Memory",
        |row, _| row.memory.map_or_else(|| "-".to_owned(), human::size),
        |row| row.memory.map_or(Key::Nothing, of_total),
    ),
    number("Processed", |row, _| row.info.processed.to_string(), |row| of_total(row.info.processed)),
    number("Failed", |row, _| row.info.failed.to_string(), |row| of_total(row.info.failed)),
    number(
        "Errors",
        |row, _| {
            human::error_rate(row.info.failed, row.info.processed)
                .map_or_else(|| "-".to_owned(), |rate| format!("{rate:.2}%"))
        },
        |row| human::error_rate(row.info.failed, row.info.processed).map_or(Key::Nothing, Key::Number),
    ),
];

pub(super) const CURVES: &[Column<CurveRow>] = &[
    long(
        "Queue",
        |row, _| {
            row.queue
                .as_ref()
                .map_or_else(|| "all queues".to_owned(), |queue| human::printable(queue.as_str()))
        },
        |row| row.queue.as_ref().map_or(Key::Nothing, |queue| text(queue.as_str())),
    ),
    number("Size", |row, _| grouped(row.size), |row| of_count(row.size)),
];

pub(super) const GROUPS: &[Column<GroupInfo>] = &[
    long("Group", |row, _| human::printable(&row.group), |row| text(&row.group)),
    number("Size", |row, _| grouped(row.size), |row| of_count(row.size)),
];

const ID: Column<TaskRow> =
    column("ID", |row, _| human::printable(row.id.as_str()), |row| text(row.id.as_str()));
const QUEUE: Column<TaskRow> =
    column("Queue", |row, _| human::printable(row.queue.as_str()), |row| text(row.queue.as_str()));
const STATE: Column<TaskRow> = column(
    "State",
    |row, _| row.text(|task| task.state.to_string()),
    |row| row.key(|task| text(task.state.as_str())),
);
const TYPE: Column<TaskRow> = column(
    "Type",
    |row, _| row.text(|task| human::printable(task.task_type.as_str())),
    |row| row.key(|task| text(task.task_type.as_str())),
);
const RETRIED: Column<TaskRow> = number(
    "Retried",
    |row, _| row.text(|task| task.retried.to_string()),
    |row| row.key(|task| Key::Number(task.retried.into())),
);
const MAX_RETRY: Column<TaskRow> = number(
    "Max Retry",
    |row, _| row.text(|task| task.max_retry.to_string()),
    |row| row.key(|task| Key::Number(task.max_retry.into())),
);
const RETRY: Column<TaskRow> = number(
    "Retry",
    |row, _| row.text(|task| format!("{}/{}", task.retried, task.max_retry)),
    |row| row.key(|task| Key::Number(task.retried.into())),
);
const PAYLOAD: Column<TaskRow> = long(
    "Payload",
    |row, _| match &row.task {
        Ok(task) => human::line(&task.payload),
        Err(reason) => format!("({})", human::printable(reason)),
    },
    |row| row.key(|task| text(&human::line(&task.payload))),
);
const GROUP: Column<TaskRow> = column(
    "Group",
    |row, _| row.text(|task| human::printable(&task.group)),
    |row| row.key(|task| text(&task.group)),
);
const NEXT: Column<TaskRow> = column(
    "Next Process Time",
    |row, now| row.text(|task| away(task.next_process_at, now)),
    |row| row.key(|task| of_moment(task.next_process_at)),
);
const FAILURE: Column<TaskRow> = long(
    "Last Failure",
    |row, _| row.text(|task| human::printable(&task.last_error)),
    |row| row.key(|task| text(&task.last_error)),
);
const FAILED_AT: Column<TaskRow> = column(
    "Failed",
    |row, now| row.text(|task| away(task.last_failed_at, now)),
    |row| row.key(|task| of_moment(task.last_failed_at)),
);
const COMPLETED: Column<TaskRow> = column(
    "Completed",
    |row, now| row.text(|task| away(task.completed_at, now)),
    |row| row.key(|task| of_moment(task.completed_at)),
);
const RESULT: Column<TaskRow> = long(
    "Result",
    |row, _| row.text(|task| task.result.as_ref().map_or_else(|| "-".to_owned(), |bytes| human::line(bytes))),
    |row| row.key(|task| task.result.as_ref().map_or(Key::Nothing, |bytes| text(&human::line(bytes)))),
);

/// Tasks in one state, as Go shows them.
pub(super) fn tasks(state: Option<TaskState>, one_queue: bool) -> &'static [Column<TaskRow>] {
    match (state, one_queue) {
        (Some(TaskState::Active | TaskState::Pending), true) => &[ID, TYPE, RETRIED, MAX_RETRY, PAYLOAD],
        (Some(TaskState::Aggregating), true) => &[ID, TYPE, PAYLOAD, GROUP],
        (Some(TaskState::Scheduled), true) => &[ID, TYPE, NEXT, PAYLOAD],
        (Some(TaskState::Retry), true) => &[ID, TYPE, RETRY, FAILURE, FAILED_AT, NEXT, PAYLOAD],
        (Some(TaskState::Archived), true) => &[ID, TYPE, RETRY, FAILURE, FAILED_AT, PAYLOAD],
        (Some(TaskState::Completed), true) => &[ID, TYPE, COMPLETED, PAYLOAD, RESULT],
        (_, true) => &[ID, STATE, TYPE, RETRY, FAILURE, PAYLOAD],
        (_, false) => &[ID, QUEUE, STATE, TYPE, RETRY, FAILURE, PAYLOAD],
    }
}

pub(super) const SERVERS: &[Column<ServerStatus>] = &[
    long("Host", |row, _| human::printable(&row.host), |row| text(&row.host)),
    number("PID", |row, _| row.pid.to_string(), |row| Key::Number(row.pid.into())),
    column("State", |row, _| human::printable(&row.status), |row| text(&row.status)),
    number(
        "Workers",
        |row, _| format!("{}/{}", row.running.len(), row.concurrency),
        |row| of_count(row.running.len()),
    ),
    long("Queues", |row, _| queues(row), |row| text(&queues(row))),
    column("Started", |row, now| away(row.started, now), |row| of_moment(row.started)),
];

pub(super) const WORKERS: &[Column<WorkerRow>] = &[
    column("Task", |row, _| human::printable(row.task.id.as_str()), |row| text(row.task.id.as_str())),
    column(
        "Type",
        |row, _| human::printable(row.task.task_type.as_str()),
        |row| text(row.task.task_type.as_str()),
    ),
    column("Queue", |row, _| human::printable(row.task.queue.as_str()), |row| text(row.task.queue.as_str())),
    column("Started", |row, now| away(row.task.started, now), |row| of_moment(row.task.started)),
    column("Must end", |row, now| away(row.task.deadline, now), |row| of_moment(row.task.deadline)),
    column("Host", |row, _| human::printable(&row.host), |row| text(&row.host)),
    long("Payload", |row, _| human::line(&row.task.payload), |row| text(&human::line(&row.task.payload))),
];

pub(super) const SCHEDULES: &[Column<KnownSchedule>] = &[
    column("Spec", |row, _| human::printable(&row.entry.spec), |row| text(&row.entry.spec)),
    column(
        "Type",
        |row, _| human::printable(row.entry.task_type.as_str()),
        |row| text(row.entry.task_type.as_str()),
    ),
    column("State", |row, _| row.state().as_str().to_owned(), |row| text(row.state().as_str())),
    column("Next", |row, now| away(row.entry.next, now), |row| of_moment(row.entry.next)),
    column("Prev", |row, now| away(row.entry.prev, now), |row| of_moment(row.entry.prev)),
    long("Options", |row, _| options(row), |row| text(&options(row))),
    long("Payload", |row, _| human::line(&row.entry.payload), |row| text(&human::line(&row.entry.payload))),
    long("Entry", |row, _| human::printable(called(row)), |row| text(called(row))),
];

pub(super) const EVENTS: &[Column<EnqueueEvent>] = &[
    column(
        "Enqueued",
        |row, now| {
            row.enqueued_at.map_or_else(
                || "-".to_owned(),
                |at| format!("{} ({})", human::local(at), human::relative(at, now)),
            )
        },
        |row| of_moment(row.enqueued_at),
    ),
    long("Task", |row, _| human::printable(&row.task_id), |row| text(&row.task_id)),
];

/// A server's queues with their priorities, the highest first.
fn queues(server: &ServerStatus) -> String {
    let mut queues: Vec<_> = server.queues.iter().collect();
    queues.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let names: Vec<String> = queues.iter().map(|(name, priority)| format!("{name}:{priority}")).collect();
    human::printable(&names.join(" "))
}

/// The name of one that is stored, the ID of another.
fn called(schedule: &KnownSchedule) -> &str {
    schedule.name().unwrap_or(&schedule.entry.id)
}

fn options(schedule: &KnownSchedule) -> String {
    let entry = &schedule.entry;
    let readable = entry.options.iter().map(ToString::to_string);
    let all: Vec<String> = readable.chain(entry.unreadable_options.iter().cloned()).collect();
    human::printable(&all.join(", "))
}

/// How far a moment is; `-` for none.
fn away(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "-".to_owned(), |at| human::relative(at, now))
}

/// A latency as Go shows it: in whole seconds.
fn whole_seconds(length: Duration) -> String {
    match length.as_secs() {
        0 => "0s".to_owned(),
        seconds => human::length(Duration::from_secs(seconds)),
    }
}

fn text(text: &str) -> Key {
    Key::Text(text.to_lowercase())
}

#[expect(clippy::cast_precision_loss, reason = "an order, not a count")]
fn of_count(count: usize) -> Key {
    Key::Number(count as f64)
}

#[expect(clippy::cast_precision_loss, reason = "an order, not a count")]
fn of_total(total: u64) -> Key {
    Key::Number(total as f64)
}

fn of_length(length: Duration) -> Key {
    Key::Number(length.as_secs_f64())
}

fn of_moment(at: Option<Timestamp>) -> Key {
    at.map_or(Key::Nothing, |at| Key::Number(at.as_duration().as_secs_f64()))
}
