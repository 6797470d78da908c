//! `asynq task errors`: which errors there are, and of how many tasks.

use std::time::Duration;

use asynq_core::inspector::{ErrorCount, Filter, Selection};
use asynq_core::task::TaskState;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};
use crate::{complete, human};

#[derive(Args, Clone, Debug)]
pub(crate) struct Errors {
    /// Of these queues; of all unless some are named.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: Vec<String>,
    /// Of tasks in these states; in retry and archived unless some are named.
    #[arg(short = 's', long, add = complete::states())]
    state: Vec<TaskState>,
    /// Only of tasks that fit.
    #[arg(long, allow_hyphen_values = true, default_value = "", hide_default_value = true)]
    filter: Filter,
    /// Look at no more than so many tasks, those that failed last.
    #[arg(long, value_name = "TASKS")]
    limit: Option<usize>,
}

impl Errors {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let states =
            if self.state.is_empty() { vec![TaskState::Retry, TaskState::Archived] } else { self.state };
        let selection = self.queue.into_iter().fold(Selection::new().filter(self.filter), Selection::queue);
        let selection = states.into_iter().fold(selection, Selection::state);
        let limit = self.limit.unwrap_or(usize::MAX);
        let tally = app.inspector.tally(&selection, limit, Duration::MAX).await?;
        if !tally.is_complete {
            let note = format!("{} tasks were looked at, and there are more", tally.scanned);
            app.printer.sink.note(&note);
        }
        app.printer.listing(&listing(&tally.errors, app.now()))
    }
}

fn listing(errors: &[ErrorCount], now: Timestamp) -> Listing {
    let mut listing = Listing::new(
        &[
            Column::new("tasks", "Tasks"),
            Column::new("error", "Error"),
            Column::new("types", "Types"),
            Column::new("last_failed_at", "Last failed"),
            Column::wide("example", "Example"),
            Column::wide("filter", "Filter"),
        ],
        "no errors",
    );
    for error in errors {
        let types: Vec<_> = error
            .types
            .iter()
            .map(|(task_type, tasks)| format!("{} {tasks}", human::printable(task_type)))
            .collect();
        listing.push([
            Cell::count(error.tasks),
            Cell::text(error.kind.as_str()),
            Cell::new(types.join(", "), json!(error.types)),
            Cell::relative(error.last_failed_at, now),
            Cell::text(&error.example),
            Cell::text(&error.kind.filter()),
        ]);
    }
    listing
}
