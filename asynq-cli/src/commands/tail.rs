//! `asynq tail`: what becomes of tasks, a line for each change.

use std::time::{Duration, Instant};

use asynq_core::inspector::{Filter, Selection, TaskChange};
use asynq_core::task::TaskState;
use clap::Args;
use serde_json::json;

use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::output::Format;
use crate::{complete, human, watch};

/// However slow Redis is, it has four times as long for others.
const OTHERS: u32 = 4;

#[derive(Args, Clone, Debug)]
pub(crate) struct Tail {
    /// Only of this queue; may be given several times.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: Vec<String>,
    /// Only of this type; `*` stands for anything.
    #[arg(short = 't', long = "type", value_name = "TYPE", add = complete::types())]
    task_type: Option<String>,
    /// Only of tasks that fit, before or after the change.
    #[arg(long, allow_hyphen_values = true)]
    filter: Option<Filter>,
    /// How often to look.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = watch::interval)]
    interval: Duration,
    /// End after so many changes.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Tail {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        if matches!(app.printer.format, Format::Csv | Format::Yaml) {
            return Err(Failure::usage("tail prints text, or JSON lines: -o jsonl"));
        }
        let mut words = self.filter.map(|filter| filter.to_string()).unwrap_or_default();
        if let Some(task_type) = self.task_type {
            words = format!("{words} type:{}", quoted(&task_type));
        }
        let filter: Filter = words.trim().parse().map_err(Failure::usage)?;
        let selection = self.queue.into_iter().fold(Selection::new().filter(filter), Selection::queue);
        let mut tasks = app.inspector.watch(selection);
        let mut left = self.limit.unwrap_or(usize::MAX);
        let mut is_first = true;
        let mut is_away = false;
        loop {
            let began = Instant::now();
            match tasks.look().await.map_err(Failure::from) {
                Ok(changes) => {
                    is_away = false;
                    for change in changes.into_iter().take(left) {
                        left -= 1;
                        print(app, &change)?;
                    }
                    if left == 0 {
                        return Ok(());
                    }
                    if is_first {
                        // Who waits for it knows that what happens from here on is told.
                        eprintln!("watching; Ctrl-C ends it");
                    }
                }
                Err(failure) if !is_first && failure.kind() == Kind::Unreachable => {
                    if !is_away {
                        eprintln!("warning: {}; still trying", failure.message());
                    }
                    is_away = true;
                }
                Err(failure) => return Err(failure),
            }
            is_first = false;
            tokio::time::sleep(self.interval.max(began.elapsed() * OTHERS)).await;
        }
    }
}

/// A word of a filter in which nothing but stars and question marks has a meaning of its own.
fn quoted(text: &str) -> String {
    if text.contains([' ', ',', '"']) {
        format!("\"{}\"", text.replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}

fn print(app: &App, change: &TaskChange) -> Result<(), Failure> {
    let state = |state: Option<TaskState>| state.map(TaskState::as_str);
    let (from, to) = (state(change.from), state(change.to));
    if app.printer.format.is_json() {
        let line = json!({
            "at": human::rfc3339(app.now()),
            "queue": change.queue.as_str(),
            "id": change.id.as_str(),
            "type": change.task_type.as_str(),
            "from": from,
            "to": to,
            "retried": change.retried,
            "last_error": change.last_error,
        });
        return app.printer.line(&line.to_string());
    }
    let line = format!(
        "{}  {:<11} -> {:<11}  {}  {}  {}  {}",
        human::local(app.now()),
        from.unwrap_or("-"),
        to.unwrap_or("gone"),
        human::printable(change.queue.as_str()),
        human::printable(change.task_type.as_str()),
        human::printable(change.id.as_str()),
        human::printable(&change.last_error),
    );
    app.printer.line(line.trim_end())
}
