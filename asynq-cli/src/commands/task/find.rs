//! `asynq task list` and `find`.

use asynq_core::inspector::{Collection, Filter, FoundTasks, Page, Selection};
use asynq_core::task::{TaskInfo, TaskState};
use clap::Args;

use super::rows::rows;
use super::window::Window;
use crate::app::App;
use crate::failure::Failure;
use crate::{complete, human};

/// How many tasks a search shows unless told otherwise.
const FOUND: usize = 100;

#[derive(Args, Clone, Debug)]
pub(crate) struct List {
    /// The queue; with a filter, all queues unless one is named.
    #[arg(short = 'q', long, required_unless_present = "filter", add = complete::queues())]
    queue: Option<String>,
    /// active, pending, aggregating, scheduled, retry, archived or completed; with a filter, all unless one is named.
    #[arg(short = 's', long, required_unless_present = "filter", add = complete::states())]
    state: Option<TaskState>,
    /// The group, of aggregating tasks.
    #[arg(short = 'g', long)]
    group: Option<String>,
    /// Which page.
    #[arg(long, default_value_t = 1, conflicts_with_all = ["filter", "since", "until", "sort"])]
    page: usize,
    /// How many tasks a page has.
    #[arg(long, default_value_t = Page::DEFAULT_SIZE)]
    size: usize,
    /// Only tasks that fit: `type:email:* error:timeout age:>2h payload.user.id:42 -has:result`.
    #[arg(long, allow_hyphen_values = true)]
    filter: Option<Filter>,
    /// Show all of them, and not a page.
    #[arg(long, conflicts_with = "page")]
    all: bool,
    #[command(flatten)]
    window: Window,
}

impl List {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        if self.filter.is_some() || self.all || self.window.is_given() {
            if self.filter.is_none() {
                // It says that a group is needed, where one is.
                self.state.map(|state| collection(state, self.group.clone())).transpose()?;
            }
            let mut selection = self.filter.into_iter().fold(Selection::new(), Selection::filter);
            selection = self.queue.into_iter().fold(selection, Selection::queue);
            selection = self.state.into_iter().fold(selection, Selection::state);
            selection = self.group.into_iter().fold(selection, Selection::group);
            let limit = (!self.all).then_some(self.size);
            return search(app, selection, self.state, &self.window, limit).await;
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

#[derive(Args, Clone, Debug)]
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
            let found = app.inspector.locate(id).await?;
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
    window: &Window,
    limit: Option<usize>,
) -> Result<(), Failure> {
    let limit = limit.unwrap_or(usize::MAX);
    let mut found = app.inspector.find(selection).await?;
    let mut tasks = Vec::new();
    // One more than is shown, to tell that there are more.
    while window.is_sorted() || tasks.len() <= limit {
        match found.next().await {
            None => break,
            Some(task) => tasks.extend(Some(task?).filter(|task| window.holds(task))),
        }
    }
    window.sort(&mut tasks);
    let more = tasks.len() > limit;
    tasks.truncate(limit);
    app.printer.listing(&rows(&tasks, state, app.now(), "no task fits".to_owned()))?;
    if more {
        app.printer.sink.note("there are more: `--all` shows all, `--size N` as many");
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
