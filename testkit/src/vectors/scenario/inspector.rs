//! `inspect`: Go's inspector, by ours.

use std::collections::BTreeMap;

use asynq_core::Error;
use asynq_core::inspector::{Collection, Inspector, Page, QueueInfo, ServerStatus};
use asynq_core::task::{QueueName, TaskState};
use asynq_core::wire::{GoReading, go_readable};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client;
use crate::encoding::base64;
use crate::vectors::file::parse;
use crate::vectors::inputs;

#[derive(Deserialize)]
struct Request {
    op: String,
    #[serde(default)]
    args: Vec<String>,
    page: Option<i64>,
    size: Option<i64>,
    #[serde(default)]
    group: String,
    #[serde(default)]
    force: bool,
}

type Answer = Result<Value, Error>;

/// Answers a request of `gopeer inspect -` as gopeer does, by our inspector.
pub async fn inspect(inspector: &Inspector, request: &RawValue) -> Value {
    let parsed: Request = parse(request);
    match (answer(inspector, &parsed, request).await, parsed.op.as_str()) {
        (Ok(answer), _) => answer,
        // Go looks for queues of any name here, also a blank one, which we refuse.
        (Err(Error::InvalidOption(_)), "groups") => json!({"groups": []}),
        (Err(Error::InvalidOption(blank)), "task" | "delete-queue") => {
            inputs::error("queue_not_found", blank)
        }
        (Err(failed), _) => error(&failed),
    }
}

async fn answer(inspector: &Inspector, request: &Request, arguments: &RawValue) -> Answer {
    let arg = |n: usize| request.args[n].as_str();
    match request.op.as_str() {
        "queues" => {
            let queues = inspector.queues().await?;
            Ok(json!({"queues": queues.iter().map(QueueName::as_str).collect::<Vec<_>>()}))
        }
        "queue" => Ok(queue_info(&inspector.queue_info(arg(0)).await?)),
        "history" => {
            // What is no number is refused before, and a negative one is as wrong as none.
            let days = arg(1).parse::<i64>().unwrap();
            let history = inspector.history(arg(0), usize::try_from(days).unwrap_or(0)).await?;
            let day = |day: &asynq_core::inspector::DailyStats| json!({"queue": arg(0), "date": day.date.to_string(), "processed": day.processed, "failed": day.failed});
            Ok(json!({"days": history.iter().map(day).collect::<Vec<_>>()}))
        }
        "groups" => {
            let groups = inspector.groups(arg(0)).await?;
            let groups = groups.iter().map(|group| json!({"group": group.group, "size": group.size}));
            Ok(json!({"groups": groups.collect::<Vec<_>>()}))
        }
        "list" => {
            let collection = collection(arg(1), &request.group);
            let page = inspector.list(arg(0), collection, page(request)?).await?;
            Ok(json!({"tasks": page.tasks.iter().map(client::shown).collect::<Vec<_>>()}))
        }
        "task" => Ok(client::shown(&inspector.task(arg(0), arg(1)).await?.info)),
        "run" => done(inspector.run(arg(0), arg(1)).await),
        "archive" => done(inspector.archive(arg(0), arg(1)).await),
        "delete" => done(inspector.delete(arg(0), arg(1)).await),
        "run-all" | "archive-all" | "delete-all" => {
            let collection = collection(arg(1), &request.group);
            let change = match request.op.as_str() {
                "run-all" => inspector.run_all(arg(0), collection),
                "archive-all" => inspector.archive_all(arg(0), collection),
                _ => inspector.delete_all(arg(0), collection),
            };
            let progress = change.await?;
            // Go counts the IDs that it has seen.
            Ok(json!({"count": progress.changed + progress.dropped}))
        }
        "update-payload" => {
            let payload = inputs::payload(arguments).unwrap_or_default();
            done(inspector.update_payload(arg(0), arg(1), payload).await.map(drop))
        }
        "pause" => Ok(changed(inspector.pause(arg(0)).await?, "is already paused")),
        "unpause" => Ok(changed(inspector.resume(arg(0)).await?, "is not paused")),
        "delete-queue" if request.force => done(inspector.force_delete_queue(arg(0)).await),
        "delete-queue" => done(inspector.delete_queue(arg(0)).await),
        "servers" => {
            let servers = inspector.servers().await?;
            Ok(json!({"servers": servers.iter().map(server).collect::<Vec<_>>()}))
        }
        "schedulers" => schedulers(inspector).await,
        "events" => {
            let events = inspector.enqueue_events(arg(0), page(request)?).await?;
            let event = |event: &asynq_core::inspector::EnqueueEvent| json!({"task_id": event.task_id, "enqueued_at_ns": nanos(event.enqueued_at)});
            Ok(json!({"events": events.iter().map(event).collect::<Vec<_>>()}))
        }
        "cancel" => done(inspector.cancel(arg(0)).await),
        "keyslot" => Ok(json!({"keyslot": inspector.cluster_key_slot(arg(0)).await?})),
        op => panic!("unknown operation {op}"),
    }
}

/// Go's defaults, and its rule for pages that are out of range.
fn page(request: &Request) -> Result<Page, Error> {
    let number = request.page.map_or(1, |page| if page < 0 { 1 } else { page });
    let size = request.size.unwrap_or(30).max(0);
    Ok(Page::new(usize::try_from(number).unwrap(), usize::try_from(size).unwrap())?)
}

fn collection(state: &str, group: &str) -> Collection {
    match state.parse().unwrap_or_else(|_| panic!("unknown state {state}")) {
        TaskState::Pending => Collection::Pending,
        TaskState::Active => Collection::Active,
        TaskState::Scheduled => Collection::Scheduled,
        TaskState::Retry => Collection::Retry,
        TaskState::Archived => Collection::Archived,
        TaskState::Completed => Collection::Completed,
        _ => Collection::Group(group.to_owned()),
    }
}

fn queue_info(info: &QueueInfo) -> Value {
    let mut shown = queue_counts(info);
    shown["memory_usage"] = json!(info.memory_usage);
    shown
}

/// The same without what depends on the server.
pub(super) fn queue_counts(info: &QueueInfo) -> Value {
    json!({
        "queue": info.queue.as_str(), "latency_ns": i64::try_from(info.latency.as_nanos()).unwrap(),
        "size": info.size(), "groups": info.groups, "pending": info.pending, "active": info.active,
        "scheduled": info.scheduled, "retry": info.retry, "archived": info.archived, "completed": info.completed,
        "aggregating": info.aggregating, "processed": info.processed, "failed": info.failed,
        "processed_total": info.processed_total, "failed_total": info.failed_total, "paused": info.is_paused(),
        "timestamp_ns": nanos(Some(info.at)),
    })
}

fn server(server: &ServerStatus) -> Value {
    let running: Vec<Value> = server
        .running
        .iter()
        .map(|task| {
            json!({
                "task_id": task.id.as_str(), "task_type": task.task_type.as_str(), "queue": task.queue.as_str(),
                "started_ns": nanos(task.started), "deadline_ns": nanos(task.deadline),
                "task_payload_b64": base64(&task.payload),
            })
        })
        .collect();
    json!({
        "id": server.id, "host": server.host, "pid": server.pid, "concurrency": server.concurrency,
        "queues": server.queues, "strict_priority": server.strict_priority, "started_ns": nanos(server.started),
        "status": server.status, "active_workers": running,
    })
}

/// Scheduler entries with the options that Go shows: we can read more.
async fn schedulers(inspector: &Inspector) -> Answer {
    let entries = inspector.scheduler_entries().await?;
    let shown = |entry: &asynq_core::inspector::ScheduledEntry| {
        let options: Vec<String> = entry
            .options
            .iter()
            .map(ToString::to_string)
            .filter(|text| matches!(go_readable(text), GoReading::Option(_)))
            .collect();
        json!({
            "id": entry.id, "spec": entry.spec, "type": entry.task_type.as_str(), "opts": options,
            "next_unix": entry.next.map(Timestamp::as_second), "prev_unix": entry.prev.map(Timestamp::as_second),
            "payload_b64": base64(&entry.payload),
        })
    };
    Ok(json!({"entries": entries.iter().map(shown).collect::<Vec<_>>()}))
}

fn done(result: Result<(), Error>) -> Answer {
    result.map(|()| json!({"ok": true}))
}

/// What Go says where nothing was changed.
fn changed(changed: bool, otherwise: &str) -> Value {
    if changed { json!({"ok": true}) } else { inputs::error("failed_precondition", otherwise) }
}

pub(super) fn error(failed: &Error) -> Value {
    inputs::error(class(failed), failed)
}

/// Go's class of an error of ours.
fn class(failed: &Error) -> &'static str {
    match failed {
        Error::QueueNotFound { .. } => "queue_not_found",
        Error::QueueNotEmpty { .. } => "queue_not_empty",
        Error::TaskNotFound { .. } => "task_not_found",
        Error::WrongState { state: TaskState::Archived, .. } => "already_archived",
        Error::WrongState { .. } | Error::UnreadableTask { .. } | Error::QueueBusy { .. } => {
            "failed_precondition"
        }
        // Go refuses a blank name as invalid, and a number of days as a precondition.
        Error::InvalidOption(invalid) if invalid.option() == "days" => "failed_precondition",
        // Nor does Go ask whether an ID is blank: there is no such task.
        Error::InvalidOption(invalid) if invalid.to_string().contains("task id") => "task_not_found",
        Error::InvalidOption(_) => "invalid",
        Error::Broker(_) => "redis",
        _ => "other",
    }
}

fn nanos(at: Option<Timestamp>) -> Option<i64> {
    at.map(|at| i64::try_from(at.as_nanosecond()).unwrap())
}

/// The days of a queue by date, for comparing.
pub(super) fn days(history: &[asynq_core::inspector::DailyStats]) -> Vec<BTreeMap<&'static str, Value>> {
    history
        .iter()
        .map(|day| {
            [
                ("date", Value::from(day.date.to_string())),
                ("processed", day.processed.into()),
                ("failed", day.failed.into()),
            ]
            .into()
        })
        .collect()
}
