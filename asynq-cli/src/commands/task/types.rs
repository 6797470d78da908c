//! `asynq task types`, and the same of a queue: how many tasks of each type are in each state.

use std::collections::BTreeMap;

use asynq_core::inspector::{Filter, Selection};
use asynq_core::task::TaskState;
use clap::Args;

use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};
use crate::{complete, human};

#[derive(Args, Clone, Debug)]
pub(crate) struct Types {
    /// Of these queues; of all unless some are named.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: Vec<String>,
    /// Only of tasks that fit.
    #[arg(long, allow_hyphen_values = true, default_value = "", hide_default_value = true)]
    filter: Filter,
}

impl Types {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let selection = self.queue.into_iter().fold(Selection::new().filter(self.filter), Selection::queue);
        app.printer.listing(&TypeCounts::of(app, selection).await?.listing())
    }
}

/// How many tasks of each type are in each state.
pub(crate) struct TypeCounts(BTreeMap<String, BTreeMap<TaskState, usize>>);

impl TypeCounts {
    pub(crate) async fn of(app: &App, selection: Selection) -> Result<Self, Failure> {
        let mut found = app.inspector.find(selection).await?;
        let mut counts: BTreeMap<String, BTreeMap<TaskState, usize>> = BTreeMap::new();
        while let Some(task) = found.next().await {
            let task = task?;
            *counts.entry(task.task_type.to_string()).or_default().entry(task.state).or_default() += 1;
        }
        Ok(Self(counts))
    }

    fn listing(&self) -> Listing {
        let mut listing = Listing::new(
            &[
                Column::new("type", "Type"),
                Column::new("total", "Total"),
                Column::new("active", "Active"),
                Column::new("pending", "Pending"),
                Column::new("aggregating", "Aggregating"),
                Column::new("scheduled", "Scheduled"),
                Column::new("retry", "Retry"),
                Column::new("archived", "Archived"),
                Column::new("completed", "Completed"),
            ],
            "no tasks",
        );
        for (task_type, states) in &self.0 {
            let of = |state| Cell::count(states.get(&state).copied().unwrap_or(0));
            listing.push([
                Cell::text(task_type),
                Cell::count(states.values().sum()),
                of(TaskState::Active),
                of(TaskState::Pending),
                of(TaskState::Aggregating),
                of(TaskState::Scheduled),
                of(TaskState::Retry),
                of(TaskState::Archived),
                of(TaskState::Completed),
            ]);
        }
        listing
    }

    /// The same as one value: a line for each type.
    pub(crate) fn cell(&self) -> Cell {
        let line = |(task_type, states): (&String, &BTreeMap<TaskState, usize>)| {
            let states = states.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>();
            format!("{}: {}", human::printable(task_type), states.join(", "))
        };
        Cell::new(self.0.iter().map(line).collect::<Vec<_>>().join("\n"), self.listing().values())
    }
}
