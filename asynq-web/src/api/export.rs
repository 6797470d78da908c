//! All tasks of a list as a file: lines of JSON, or a table for spreadsheets. They are read and sent part by part.

use asynq_core::inspector::FoundTasks;
use asynq_core::task::TaskState;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::Value;

use super::shapes::Task;
use crate::actions::Matching;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// The columns of a table: names of the API's tasks.
const COLUMNS: [&str; 19] = [
    "id",
    "queue",
    "type",
    "state",
    "payload",
    "result",
    "last_error",
    "last_failed_at",
    "retried",
    "max_retry",
    "process_at",
    "completed_at",
    "deadline",
    "timeout_ms",
    "retention_ms",
    "group",
    "headers",
    "orphaned",
    "payload_is_base64",
];

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Jsonl,
}

/// The tasks of a list, all of them.
pub(crate) async fn export(visit: Visit, Query(fields): Query<Fields>) -> Result<Response, Problem> {
    fields.only(&["format", "queue", "state", "group", "filter"])?;
    let (format, kind, name) = match fields.text("format") {
        None | Some("jsonl") => (Format::Jsonl, "application/jsonl", "tasks.jsonl"),
        Some("csv") => (Format::Csv, "text/csv; charset=utf-8", "tasks.csv"),
        Some(other) => return Err(Problem::invalid(format!("format: `{other}` must be csv or jsonl"))),
    };
    let matching = Matching {
        queue: fields.text("queue").map(str::to_owned),
        state: fields.parsed::<TaskState>("state")?,
        group: fields.text("group").map(str::to_owned),
        filter: visit.filter(fields.raw("filter").unwrap_or_default())?,
    };
    let selection = matching.selection(&visit, None).await?;
    let found = visit.inspector_of_all(Right::View)?.find(selection).await?;
    let header = match format {
        Format::Csv => Some(Bytes::from(row(COLUMNS.map(str::to_owned)))),
        Format::Jsonl => None,
    };
    let sending = Sending { visit, found, format, header };
    let body = Body::from_stream(unfold(sending, Sending::next));
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], body).into_response())
}

/// What is sent, task by task.
struct Sending {
    visit: Visit,
    found: FoundTasks,
    format: Format,
    header: Option<Bytes>,
}

impl Sending {
    /// The next line. Where the store fails, the answer breaks off, and whoever reads it knows that it is not whole.
    async fn next(mut self) -> Option<(asynq_core::Result<Bytes>, Self)> {
        if let Some(header) = self.header.take() {
            return Some((Ok(header), self));
        }
        let line = match self.found.next().await? {
            Ok(task) => {
                let task = serde_json::to_value(Task::whole(&self.visit, &task)).unwrap_or_default();
                Ok(match self.format {
                    Format::Jsonl => format!("{task}\n"),
                    Format::Csv => row(COLUMNS.map(|column| cell(&task, column))),
                })
            }
            Err(error) => Err(error),
        };
        Some((line.map(Bytes::from), self))
    }
}

/// A line of a table.
fn row<const N: usize>(cells: [String; N]) -> String {
    let quoted = cells.map(|cell| {
        // Spreadsheets take what begins so for a formula.
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        format!("\"{guard}{}\"", cell.replace('"', "\"\""))
    });
    format!("{}\r\n", quoted.join(","))
}

/// What a task has in a column, as text.
fn cell(task: &Value, column: &str) -> String {
    if column == "payload_is_base64" {
        return (!task["payload"]["base64"].is_null()).to_string();
    }
    match &task[column] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // What a task carries: text, or bytes.
        Value::Object(content) if content.contains_key("size") => {
            let text = content.get("text").or_else(|| content.get("base64"));
            text.and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        Value::Object(headers) if headers.is_empty() => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula_is_run() {
        assert_eq!(row(["a,b".to_owned(), "say \"x\"".to_owned()]), "\"a,b\",\"say \"\"x\"\"\"\r\n");
        assert_eq!(row(["=1+1".to_owned(), String::new()]), "\"'=1+1\",\"\"\r\n");
        let task = json!({"id": "a", "payload": {"size": 1, "complete": true, "base64": "/w=="}, "retried": 3, "group": null});
        let cells =
            ["id", "payload", "retried", "group", "payload_is_base64"].map(|column| cell(&task, column));
        assert_eq!(cells, ["a", "/w==", "3", "", "true"]);
    }
}
