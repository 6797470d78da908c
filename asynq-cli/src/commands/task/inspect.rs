//! `asynq task inspect`: all that is stored of a task.

use std::io::{Write, stdout};

use asynq_core::inspector::{Encoding, TaskDetail};
use asynq_core::task::TaskInfo;
use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Record};
use crate::{complete, human};

#[derive(Args, Clone, Debug)]
pub(crate) struct Inspect {
    /// The queue.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: String,
    /// The task's ID.
    #[arg(short = 'i', long)]
    id: String,
    /// Only the payload, byte for byte, for another program.
    #[arg(long)]
    raw: bool,
}

impl Inspect {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let task = app.inspector.task(&self.queue, &self.id).await?;
        if self.raw {
            let mut out = stdout().lock();
            out.write_all(&task.info.payload)?;
            return Ok(out.flush()?);
        }
        app.printer.record(&record(&task, app.now()))
    }
}

/// All that is stored of a task, for people and for programs.
pub(crate) fn record(task: &TaskDetail, now: Timestamp) -> Record {
    let info = &task.info;
    let headers = serde_json::to_value(&info.headers).unwrap_or_default();
    let headers_text = info
        .headers
        .iter()
        .map(|(name, value)| human::printable(&format!("{name}: {value}")))
        .collect::<Vec<_>>();
    let lock = task.lock.as_ref().map_or_else(Cell::none, |lock| Cell::text(&format!("{lock:?}")));
    let own: serde_json::Map<String, Value> =
        task.own_fields.iter().map(|(name, value)| (name.clone(), Cell::bytes(value).value)).collect();
    let own_text = task.own_fields.iter().map(|(name, value)| format!("{name}={}", human::line(value)));
    let own_text = own_text.collect::<Vec<_>>().join(" ");
    let record = Record::new()
        .field("id", "ID", Cell::text(info.id.as_str()))
        .field("queue", "Queue", Cell::text(info.queue.as_str()))
        .field("type", "Type", Cell::text(info.task_type.as_str()))
        .field("state", "State", Cell::text(info.state.as_str()))
        .field("retried", "Retried", Cell::number(info.retried))
        .field("max_retry", "Max Retry", Cell::number(info.max_retry))
        .field("process_at", "Next process time", Cell::moment(info.next_process_at, now))
        .field("pending_since", "Pending since", Cell::moment(task.pending_since, now))
        .field("timeout_ms", "Timeout", Cell::length_or_none(info.timeout))
        .field("deadline", "Deadline", Cell::moment(info.deadline, now))
        .field("retention_ms", "Retention", Cell::length_or_none(info.retention))
        .field(
            "group",
            "Group",
            Cell::text_or_none(if info.group.is_empty() { &task.group } else { &info.group }),
        )
        .field("last_failed_at", "Last failed", Cell::moment(info.last_failed_at, now))
        .field("last_error", "Last error", Cell::text_or_none(&info.last_error))
        .field("completed_at", "Completed", Cell::moment(info.completed_at, now))
        .field("orphaned", "Orphaned", Cell::flag(info.is_orphaned))
        .field("lease_until", "Lease until", Cell::moment(task.lease_until, now))
        .field("server_id", "Server", task.server_id.as_deref().map_or_else(Cell::none, Cell::text))
        .field("crashes", "Crashes", Cell::number(task.crashes))
        .field("unique_lock", "Unique lock", lock)
        .field(
            "own_fields",
            "Own fields",
            Cell::new(if own_text.is_empty() { "-".to_owned() } else { own_text }, Value::Object(own)),
        );
    let record = if info.headers.is_empty() {
        record.field("headers", "Headers", Cell::new("-", headers))
    } else {
        record.block("headers", "Headers", Cell::new(headers_text.join("\n"), headers))
    };
    let record = record.block("payload", "Payload", payload(info));
    match &info.result {
        Some(result) => record.block("result", "Result", pretty(result)),
        None => record.field("result", "Result", Cell::none()),
    }
}

/// The payload; where a codec has marked it, what it says as JSON.
fn payload(info: &TaskInfo) -> Cell {
    let decoded = Encoding::marked(&info.headers).and_then(|encoding| encoding.to_json(&info.payload).ok());
    match decoded {
        Some(json) => Cell { text: pretty(json.as_bytes()).text, ..Cell::bytes(&info.payload) },
        None => pretty(&info.payload),
    }
}

/// Bytes for people: JSON laid out, other text as it is, bytes as hexadecimal digits and as the text that is among
/// them.
fn pretty(bytes: &[u8]) -> Cell {
    let plain = Cell::bytes(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok("") => "-".to_owned(),
        Ok(text) => {
            let text = human::laid_out(text).unwrap_or_else(|| text.to_owned());
            text.lines().map(human::printable).collect::<Vec<_>>().join("\n")
        }
        Err(_) => human::hex_dump(bytes).collect::<Vec<_>>().join("\n"),
    };
    Cell { text, ..plain }
}
