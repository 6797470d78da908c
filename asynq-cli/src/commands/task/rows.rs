//! Tasks as rows: for each state the columns that matter, as Go's tool has them.

use asynq_core::task::{TaskInfo, TaskState};
use jiff::Timestamp;

use crate::output::{Cell, Column, Listing};

/// Tasks of one state, or of several when none is named.
pub(super) fn rows(tasks: &[TaskInfo], state: Option<TaskState>, now: Timestamp, nothing: String) -> Listing {
    let mut listing = Listing::new(&columns(state), nothing);
    for task in tasks {
        let shown = |name: &str| match name {
            "id" => Cell::text(task.id.as_str()),
            "type" => Cell::text(task.task_type.as_str()),
            "payload" => Cell::bytes(&task.payload),
            "queue" => Cell::text(task.queue.as_str()),
            "state" => Cell::text(task.state.as_str()),
            "group" => Cell::text_or_none(&task.group),
            "process_at" => Cell::relative(task.next_process_at, now),
            "last_error" => Cell::text_or_none(&task.last_error),
            "last_failed_at" => Cell::relative(task.last_failed_at, now),
            "retried" => Cell::number(task.retried),
            "max_retry" => Cell::number(task.max_retry),
            "completed_at" => Cell::relative(task.completed_at, now),
            "result" => task.result.as_ref().map_or_else(Cell::none, |result| Cell::bytes(result)),
            "timeout_ms" => Cell::length_or_none(task.timeout),
            "deadline" => Cell::relative(task.deadline, now),
            "retention_ms" => Cell::length_or_none(task.retention),
            "orphaned" => Cell::flag(task.is_orphaned),
            _ => {
                let headers = serde_json::to_value(&task.headers).unwrap_or_default();
                Cell::new(headers.to_string(), headers)
            }
        };
        let cells = listing.columns.iter().map(|column| shown(column.name)).collect();
        listing.rows.push(cells);
    }
    listing
}

const ALL: [Column; 18] = [
    Column::wide("id", "ID"),
    Column::wide("type", "Type"),
    Column::wide("queue", "Queue"),
    Column::wide("state", "State"),
    Column::wide("process_at", "Process In"),
    Column::wide("last_error", "Last Error"),
    Column::wide("last_failed_at", "Last Failed"),
    Column::wide("retried", "Retried"),
    Column::wide("max_retry", "Max Retry"),
    Column::wide("completed_at", "CompletedAt"),
    Column::wide("group", "Group"),
    Column::wide("timeout_ms", "Timeout"),
    Column::wide("deadline", "Deadline"),
    Column::wide("retention_ms", "Retention"),
    Column::wide("orphaned", "Orphaned"),
    Column::wide("headers", "Headers"),
    Column::wide("payload", "Payload"),
    Column::wide("result", "Result"),
];

fn columns(state: Option<TaskState>) -> Vec<Column> {
    let narrow: &[&str] = match state {
        Some(TaskState::Active | TaskState::Pending) => &["id", "type", "payload"],
        Some(TaskState::Aggregating) => &["id", "type", "payload", "group"],
        Some(TaskState::Scheduled) => &["id", "type", "payload", "process_at"],
        Some(TaskState::Retry) => {
            &["id", "type", "payload", "process_at", "last_error", "last_failed_at", "retried", "max_retry"]
        }
        Some(TaskState::Archived) => &["id", "type", "payload", "last_failed_at", "last_error"],
        Some(TaskState::Completed) => &["id", "type", "payload", "completed_at", "result"],
        _ => &["id", "type", "queue", "state", "payload", "last_error"],
    };
    let chosen = narrow.iter().filter_map(|name| ALL.iter().find(|column| column.name == *name));
    let chosen = chosen.map(|column| {
        let heading = if state == Some(TaskState::Retry) && column.name == "process_at" {
            "Next Retry"
        } else {
            column.heading
        };
        Column { heading, wide: false, ..*column }
    });
    let rest = ALL.iter().filter(|column| !narrow.contains(&column.name)).copied();
    chosen.chain(rest).collect()
}
