//! `asynq task list`, `find` and `types`.

use std::collections::BTreeMap;

use asynq_core::inspector::{Collection, Filter, FoundTasks, Page, Selection};
use asynq_core::task::{TaskInfo, TaskState};
use clap::Args;

use super::rows::rows;
use crate::app::App;
use crate::failure::Failure;
use crate::human;
use crate::output::{Cell, Column, Listing};

/// How many tasks a search shows unless told otherwise.
const FOUND: usize = 100;

#[derive(Args, Debug)]
pub(crate) struct List {
    /// The queue; with a filter, all queues unless one is named.
    #[arg(short = 'q', long, required_unless_present = "filter")]
    queue: Option<String>,
    /// active, pending, aggregating, scheduled, retry, archived or completed; with a filter, all unless one is named.
    #[arg(short = 's', long, required_unless_present = "filter")]
    state: Option<TaskState>,
    /// The group, of aggregating tasks.
    #[arg(short = 'g', long)]
    group: Option<String>,
    /// Which page.
    #[arg(long, default_value_t = 1, conflicts_with = "filter")]
    page: usize,
    /// How many tasks a page has.
    #[arg(long, default_value_t = Page::DEFAULT_SIZE)]
    size: usize,
    /// Only tasks that fit: `type:email:* error:timeout age:>2h payload.user.id:42 -has:result`.
    #[arg(long)]
    filter: Option<Filter>,
    /// With a filter: show all, not only the first.
    #[arg(long, requires = "filter")]
    all: bool,
}

impl List {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        if let Some(filter) = self.filter {
            let mut selection = Selection::new().filter(filter);
            selection = self.queue.into_iter().fold(selection, Selection::queue);
            selection = self.state.into_iter().fold(selection, Selection::state);
            selection = self.group.into_iter().fold(selection, Selection::group);
            let limit = (!self.all).then_some(self.size);
            return search(app, selection, self.state, limit).await;
        }
        let (Some(queue), Some(state)) = (self.queue, self.state) else {
            return Err(Failure::usage("a queue and a state are needed, or a filter"));
        };
        let collection = collection(state, self.group)?;
        let page = Page::new(self.page, self.size).map_err(asynq_core::Error::from)?;
        let nothing = format!("no {collection} tasks in queue {} on this page", human::printable(&queue));
        let listed = app.inspector.list(&queue, collection, page).await?;
        for task in &listed.unreadable {
            eprintln!("warning: task {} cannot be read: {}", human::printable(task.id.as_str()), task.reason);
        }
        app.printer.listing(&rows(&listed.tasks, Some(state), app.now(), nothing))
    }
}

/// Where tasks of a state stand.
pub(super) fn collection(state: TaskState, group: Option<String>) -> Result<Collection, Failure> {
    Ok(match (state, group) {
        (TaskState::Aggregating, Some(group)) => Collection::Group(group),
        (TaskState::Aggregating, None) => {
            return Err(Failure::usage("aggregating tasks are those of a group: name it with --group"));
        }
        (_, Some(_)) => return Err(Failure::usage("--group goes with the state aggregating only")),
        (TaskState::Active, None) => Collection::Active,
        (TaskState::Scheduled, None) => Collection::Scheduled,
        (TaskState::Retry, None) => Collection::Retry,
        (TaskState::Archived, None) => Collection::Archived,
        (TaskState::Completed, None) => Collection::Completed,
        _ => Collection::Pending,
    })
}

#[derive(Args, Debug)]
pub(crate) struct Find {
    /// A task ID, or a filter.
    #[arg(required = true, value_name = "FILTER")]
    filter: Vec<String>,
    /// Show no more than so many.
    #[arg(long, default_value_t = FOUND)]
    limit: usize,
}

impl Find {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let words = self.filter.join(" ");
        // An ID alone is looked up, which is quick however many tasks there are.
        if let [id] = self.filter.as_slice() {
            let mut found = Vec::new();
            for queue in app.inspector.queues().await? {
                match app.inspector.task(&queue, id).await {
                    Ok(task) => found.push(task.info),
                    Err(asynq_core::Error::TaskNotFound { .. } | asynq_core::Error::QueueNotFound { .. }) => {
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if !found.is_empty() {
                return app.printer.listing(&rows(&found, None, app.now(), String::new()));
            }
        }
        let filter: Filter = words.parse().map_err(Failure::usage)?;
        let selection = Selection::new().filter(filter);
        let tasks = collect(app.inspector.find(selection.limit(self.limit)).await?).await?;
        if tasks.is_empty() {
            return Err(Failure::not_found(format!("no task fits `{}`", human::printable(&words))));
        }
        app.printer.listing(&rows(&tasks, None, app.now(), String::new()))
    }
}

async fn search(
    app: &App,
    selection: Selection,
    state: Option<TaskState>,
    limit: Option<usize>,
) -> Result<(), Failure> {
    let selection =
        limit.into_iter().fold(selection, |selection, limit| selection.limit(limit.saturating_add(1)));
    let mut tasks = collect(app.inspector.find(selection).await?).await?;
    let more = limit.is_some_and(|limit| tasks.len() > limit);
    tasks.truncate(limit.unwrap_or(usize::MAX));
    app.printer.listing(&rows(&tasks, state, app.now(), "no task fits".to_owned()))?;
    if more {
        eprintln!("there are more: `--all` shows all, `--size N` as many");
    }
    Ok(())
}

async fn collect(mut found: FoundTasks) -> Result<Vec<TaskInfo>, Failure> {
    let mut tasks = Vec::new();
    while let Some(task) = found.next().await {
        tasks.push(task?);
    }
    Ok(tasks)
}

#[derive(Args, Debug)]
pub(crate) struct Types {
    /// Of these queues; of all unless some are named.
    #[arg(short = 'q', long)]
    queue: Vec<String>,
    /// Only of tasks that fit.
    #[arg(long, default_value = "")]
    filter: Filter,
}

impl Types {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let selection = self.queue.into_iter().fold(Selection::new().filter(self.filter), Selection::queue);
        let mut found = app.inspector.find(selection).await?;
        let mut counts: BTreeMap<String, BTreeMap<TaskState, usize>> = BTreeMap::new();
        while let Some(task) = found.next().await {
            let task = task?;
            *counts.entry(task.task_type.to_string()).or_default().entry(task.state).or_default() += 1;
        }
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
        for (task_type, states) in &counts {
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
        app.printer.listing(&listing)
    }
}
