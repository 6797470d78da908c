//! `asynq task enqueue --batch`: a task for each line of a file.

use std::collections::BTreeMap;
use std::io::{Read, stdin};
use std::sync::atomic::Ordering;

use asynq_core::task::{Task, TaskOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;

use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::human;
use crate::output::{Cell, Progress, Record};

/// How many tasks are enqueued between two looks at whether to stop.
const CHUNK: usize = 1_024;

/// How many wrong lines are told.
const TOLD: usize = 10;

/// A line. Times and lengths of time are written as on the command line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(rename = "type")]
    task_type: String,
    /// A text is the payload itself; anything else is one that is JSON, as it is written.
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    payload_base64: Option<String>,
    queue: Option<String>,
    id: Option<String>,
    group: Option<String>,
    #[serde(alias = "max_retry")]
    retry: Option<u32>,
    #[serde(default, deserialize_with = "read_length")]
    timeout: Option<std::time::Duration>,
    #[serde(default, deserialize_with = "read_moment")]
    deadline: Option<jiff::Timestamp>,
    #[serde(default, deserialize_with = "read_length")]
    unique: Option<std::time::Duration>,
    #[serde(default, alias = "at", deserialize_with = "read_moment")]
    process_at: Option<jiff::Timestamp>,
    #[serde(default, alias = "in", deserialize_with = "read_length")]
    process_in: Option<std::time::Duration>,
    #[serde(default, deserialize_with = "read_length")]
    retention: Option<std::time::Duration>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

fn read_length<'de, D: Deserializer<'de>>(text: D) -> Result<Option<std::time::Duration>, D::Error> {
    let text = Option::<String>::deserialize(text)?;
    text.map(|text| human::duration(&text).map_err(D::Error::custom)).transpose()
}

fn read_moment<'de, D: Deserializer<'de>>(text: D) -> Result<Option<jiff::Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(text)?;
    text.map(|text| human::moment(&text).map_err(D::Error::custom)).transpose()
}

/// Enqueues the tasks of a file, or of stdin when that is `-`. All lines are read first: where one is wrong, nothing is
/// enqueued.
pub(super) async fn enqueue(app: &App, path: &str) -> Result<(), Failure> {
    let text = read(path)?;
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let wrong: Vec<String> = lines()
        .filter_map(|(number, line)| task(line).err().map(|what| format!("{path}:{}{what}", number + 1)))
        .collect();
    if let Some(first) = wrong.first() {
        for what in wrong.iter().skip(1).take(TOLD - 1) {
            eprintln!("error: {what}");
        }
        let more = match wrong.len() {
            1 => String::new(),
            count => format!(" ({count} wrong lines)"),
        };
        return Err(Failure::usage(format!("{first}{more}; nothing was enqueued")));
    }
    let total = lines().count();
    let mut progress = Progress::of(total);
    let (mut enqueued, mut failed) = (0, 0);
    let mut rest = lines();
    let mut unreachable = None;
    while unreachable.is_none() && !app.stop.load(Ordering::Relaxed) {
        let chunk: Vec<(usize, Task)> =
            rest.by_ref().take(CHUNK).filter_map(|(number, line)| Some((number, task(line).ok()?))).collect();
        if chunk.is_empty() {
            break;
        }
        let (numbers, tasks): (Vec<usize>, Vec<Task>) = chunk.into_iter().unzip();
        for (number, result) in numbers.iter().zip(app.client.enqueue_all(tasks).await) {
            match result {
                Ok(_) => enqueued += 1,
                Err(error) => {
                    failed += 1;
                    let failure = Failure::from(error);
                    if failure.kind() == Kind::Unreachable {
                        unreachable = Some(failure);
                    } else {
                        progress.say(&format!("error: {path}:{}: {}", number + 1, failure.message()));
                    }
                }
            }
        }
        progress.step(numbers.len());
    }
    drop(progress);
    tell(app, enqueued, failed)?;
    if let Some(failure) = unreachable {
        return Err(failure);
    }
    if enqueued + failed < total {
        return Err(Failure::new(Kind::Interrupted, "stopped before all were enqueued"));
    }
    if failed > 0 {
        return Err(Failure::new(Kind::Failed, format!("{failed} of {total} tasks were not enqueued")));
    }
    Ok(())
}

fn tell(app: &App, enqueued: usize, failed: usize) -> Result<(), Failure> {
    let record = Record::new()
        .field("action", "Action", Cell::text("enqueue"))
        .field("enqueued", "Enqueued", Cell::count(enqueued))
        .field("failed", "Failed", Cell::count(failed));
    app.printer.outcome(&format!("{enqueued} tasks enqueued, {failed} failed"), &record)
}

fn read(path: &str) -> Result<String, Failure> {
    if path == "-" {
        let mut text = String::new();
        stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("stdin: {error}")))?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{path}: {error}")))
}

/// The task of a line; or `:COLUMN: what is wrong`.
fn task(line: &str) -> Result<Task, String> {
    let read: Line<'_> = serde_json::from_str(line).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        format!(":{}: {text}", error.column())
    })?;
    let payload = match (read.payload, read.payload_base64) {
        (Some(_), Some(_)) => return Err(": either `payload` or `payload_base64`".to_owned()),
        (None, None) => Vec::new(),
        (None, Some(text)) => {
            STANDARD.decode(text).map_err(|error| format!(": `payload_base64`: {error}"))?
        }
        (Some(value), None) => match serde_json::from_str::<String>(value.get()) {
            Ok(text) => text.into_bytes(),
            Err(_) => value.get().as_bytes().to_vec(),
        },
    };
    let options = TaskOptions::new();
    let options = read.queue.into_iter().fold(options, TaskOptions::queue);
    let options = read.id.into_iter().fold(options, TaskOptions::task_id);
    let options = read.group.into_iter().fold(options, TaskOptions::group);
    let options = read.retry.into_iter().fold(options, TaskOptions::max_retry);
    let options = read.timeout.into_iter().fold(options, TaskOptions::timeout);
    let options = read.deadline.into_iter().fold(options, TaskOptions::deadline);
    let options = read.unique.into_iter().fold(options, TaskOptions::unique);
    let options = read.process_at.into_iter().fold(options, TaskOptions::process_at);
    let options = read.process_in.into_iter().fold(options, TaskOptions::process_in);
    let options = read.retention.into_iter().fold(options, TaskOptions::retention);
    let options =
        read.headers.into_iter().fold(options, |options, (name, value)| options.header(name, value));
    let task = Task::new(read.task_type, payload).map_err(|error| format!(": {error}"))?;
    Ok(task.options(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_task_or_says_where_it_is_wrong() {
        let payload =
            |line: &str| task(line).map(|task| task.payload().map_or_else(Vec::new, |p| p.to_vec()));
        assert_eq!(payload(r#"{"type":"t","payload":{"n": 1.50}}"#), Ok(br#"{"n": 1.50}"#.to_vec()));
        assert_eq!(payload(r#"{"type":"t","payload":"a\nb"}"#), Ok(b"a\nb".to_vec()));
        assert_eq!(payload(r#"{"type":"t","payload_base64":"/wA="}"#), Ok(vec![0xff, 0]));
        assert_eq!(payload(r#"{"type":"t"}"#), Ok(Vec::new()));
        for (line, wrong) in [
            (r#"{"type":"t","quue":"x"}"#, ":18: unknown field `quue`"),
            (r#"{"payload":"x"}"#, ":15: missing field `type`"),
            (r#"{"type":"t","in":"soon"}"#, "`soon` is no length of time"),
            (r#"{"type":"t""#, ":11: EOF"),
            (r#"{"type":" "}"#, ": "),
        ] {
            let told = payload(line).unwrap_err();
            assert!(told.contains(wrong), "{line}: {told}");
        }
    }
}
