//! `asynq task run`, `archive`, `delete`, `move`, `copy`, `edit` and `cancel`: what is done to tasks that are named, read from
//! stdin, or fit a filter.

use std::io::{BufRead, stdin};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asynq_core::inspector::{Action, Filter, PayloadFormat, Selection, TaskEdit};
use asynq_core::task::TaskState;
use clap::Args;

use super::super::{ask, for_each};
use super::payload::{self, formats};
use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::output::{Cell, Column, Listing, Progress, Record};
use crate::{complete, human};

/// Which tasks.
#[derive(Args, Clone, Debug)]
pub(crate) struct Which {
    /// The queue; with a filter, all queues unless one is named.
    #[arg(short = 'q', long, required_unless_present = "filter", add = complete::queues())]
    queue: Option<String>,
    /// IDs of tasks; `-` reads them from stdin, one in each line.
    #[arg(short = 'i', long = "id", value_name = "ID")]
    id: Vec<String>,
    /// More IDs.
    #[arg(value_name = "ID", conflicts_with = "filter")]
    ids: Vec<String>,
    /// All tasks that fit this, in place of IDs.
    #[arg(long, allow_hyphen_values = true, conflicts_with = "id")]
    filter: Option<Filter>,
    /// With a filter: only in this state.
    #[arg(short = 's', long, requires = "filter", add = complete::states())]
    state: Option<TaskState>,
    /// With a filter: no more than so many.
    #[arg(long, requires = "filter")]
    limit: Option<usize>,
    /// With a filter: no more than so many in a second.
    #[arg(long, requires = "filter", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Change nothing; say how many it would be.
    #[arg(long)]
    dry_run: bool,
    /// With a filter: do not ask.
    #[arg(short = 'y', long)]
    yes: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Run,
    Archive,
    Delete,
}

impl Verb {
    pub(super) fn action(self) -> Action {
        match self {
            Self::Run => Action::Run,
            Self::Archive => Action::Archive,
            Self::Delete => Action::Delete,
        }
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Change {
    #[command(flatten)]
    which: Which,
}

impl Change {
    pub(crate) async fn run(self, app: &App, verb: Verb) -> Result<(), Failure> {
        self.which.apply(app, verb.action()).await
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Move {
    /// The queue to move them to.
    #[arg(long, value_name = "QUEUE", add = complete::queues())]
    to: String,
    #[command(flatten)]
    which: Which,
}

impl Move {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        self.which.apply(app, Action::Move(self.to)).await
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Copy {
    /// The queue that gets the copies; without it, that of each task.
    #[arg(long, value_name = "QUEUE", add = complete::queues())]
    to: Option<String>,
    #[command(flatten)]
    which: Which,
}

impl Copy {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        self.which.apply(app, Action::Copy(self.to)).await
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Edit {
    /// The new payload; `@FILE` reads a file, `-` reads stdin.
    #[arg(short = 'l', long)]
    payload: Option<String>,
    /// What the payload is.
    #[arg(long, default_value_t, value_parser = formats(), requires = "payload")]
    payload_format: PayloadFormat,
    /// Sets a header: `name=value`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    header: Vec<(String, String)>,
    /// When it is to run: `2026-12-24T09:00:00Z`, `"tomorrow 09:00"`, `15m`.
    #[arg(long, value_parser = human::moment)]
    at: Option<jiff::Timestamp>,
    /// How often it may be retried.
    #[arg(long, visible_alias = "max-retry")]
    retry: Option<u32>,
    /// How long an attempt may take.
    #[arg(long, value_parser = human::duration)]
    timeout: Option<Duration>,
    /// How long it is kept when it is done.
    #[arg(long, value_parser = human::duration)]
    retention: Option<Duration>,
    #[command(flatten)]
    which: Which,
}

/// `name=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` must be NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Edit {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let mut edit = TaskEdit::new();
        let mut changes = false;
        if let Some(payload) = &self.payload {
            (edit, changes) = (edit.payload(payload::read(self.payload_format, payload)?), true);
        }
        for (name, value) in self.header {
            (edit, changes) = (edit.header(name, value), true);
        }
        if let Some(at) = self.at {
            (edit, changes) = (edit.process_at(at), true);
        }
        if let Some(times) = self.retry {
            (edit, changes) = (edit.max_retry(times), true);
        }
        if let Some(limit) = self.timeout {
            (edit, changes) = (edit.timeout(limit), true);
        }
        if let Some(keep) = self.retention {
            (edit, changes) = (edit.retention(keep), true);
        }
        if !changes {
            let (queue, id) = self.which.only()?;
            return super::editor::edit(app, &queue, &id).await;
        }
        self.which.apply(app, Action::Edit(edit)).await
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Cancel {
    /// IDs of tasks that are being run.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

impl Cancel {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let mut listing = outcomes();
        let (_, result) = for_each(&self.ids, async |id| {
            app.inspector.cancel(id).await?;
            listing.push([Cell::text(id), Cell::text("asked to cancel")]);
            app.printer.say(&format!("{}: workers were asked to cancel it", human::printable(id)))
        })
        .await;
        finish(app, &listing, result)
    }
}

fn outcomes() -> Listing {
    Listing::new(&[Column::new("id", "ID"), Column::new("outcome", "Outcome")], "")
}

fn finish(app: &App, listing: &Listing, result: Result<(), Failure>) -> Result<(), Failure> {
    if !app.printer.format.is_table() {
        app.printer.listing(listing)?;
    }
    result
}

impl Which {
    /// The task, where one must be named.
    fn only(self) -> Result<(String, String), Failure> {
        let ids = named(self.id.into_iter().chain(self.ids))?;
        match (self.queue, <[String; 1]>::try_from(ids)) {
            (Some(queue), Ok([id])) => Ok((queue, id)),
            _ => Err(Failure::usage(
                "nothing to change: give --payload, --header, --at, --retry, --timeout or --retention; or one task, to \
                 edit its payload",
            )),
        }
    }

    async fn apply(self, app: &App, action: Action) -> Result<(), Failure> {
        match self.filter.clone() {
            Some(filter) => self.apply_to_found(app, action, filter).await,
            None => self.apply_to_named(app, action).await,
        }
    }

    async fn apply_to_named(self, app: &App, action: Action) -> Result<(), Failure> {
        let Some(queue) = self.queue else { return Err(Failure::usage("a queue is needed: --queue")) };
        let ids = named(self.id.into_iter().chain(self.ids))?;
        if ids.is_empty() {
            return Err(Failure::usage(
                "no task is named: give IDs, `-` to read them from stdin, or --filter",
            ));
        }
        let mut listing = outcomes();
        let (_, result) = for_each(&ids, async |id| {
            if self.dry_run {
                let task = app.inspector.task(&queue, id).await?;
                let allowed = action.allows(task.info.state);
                let would =
                    if allowed { format!("would {action}") } else { format!("is {}", task.info.state) };
                listing.push([Cell::text(id), Cell::text(&would)]);
                return app.printer.say(&format!("{}: {would}", human::printable(id)));
            }
            app.inspector.apply(&action, &queue, id).await?;
            listing.push([Cell::text(id), Cell::text(past(&action))]);
            app.printer.say(&format!("{}: {}", human::printable(id), past(&action)))
        })
        .await;
        finish(app, &listing, result)
    }

    async fn apply_to_found(self, app: &App, action: Action, filter: Filter) -> Result<(), Failure> {
        let mut selection = Selection::new().filter(filter);
        selection = self.queue.into_iter().fold(selection, Selection::queue);
        selection = self.state.into_iter().fold(selection, Selection::state);
        selection = self.limit.into_iter().fold(selection, Selection::limit);
        let selection = selection.allowing(&action);
        let count = count(app, &selection).await?;
        if count == 0 && !self.dry_run {
            return report(
                app,
                &action,
                &[("changed", 0), ("failed", 0)],
                "no task fits whose state allows it",
            );
        }
        if self.dry_run {
            return report(
                app,
                &action,
                &[("would_change", count)],
                &format!("{count} tasks would be {}", past(&action)),
            );
        }
        if !self.yes {
            ask::yes(&format!("{action} {count} tasks?"))?;
        }
        let (stop, done) = (Arc::clone(&app.stop), Arc::new(AtomicUsize::new(0)));
        let mut progress = Progress::of(count);
        let counted = Arc::clone(&done);
        let mut change = app.inspector.apply_to(selection, action.clone()).watch(move |task, result| {
            progress.step(1);
            counted.fetch_add(usize::from(result.is_ok()), Ordering::Relaxed);
            if let Err(error) = result {
                progress.say(&format!("error: {}: {error}", human::printable(task.id.as_str())));
            }
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Some(rate) = self.rate {
            change = change.pace(Duration::from_secs(1) / rate);
        }
        let ended = change.await.map_err(|error| {
            let failure = Failure::from(error);
            let done = done.load(Ordering::Relaxed);
            let text = format!("{}; {done} tasks were {} until then", failure.message(), past(&action));
            Failure::new(failure.kind(), text)
        })?;
        let line = format!("{} tasks {}, {} failed", ended.changed, past(&action), ended.failed);
        report(app, &action, &[("changed", ended.changed), ("failed", ended.failed)], &line)?;
        if ended.stopped {
            return Err(Failure::new(Kind::Interrupted, "stopped before all were reached"));
        }
        if ended.failed > 0 {
            return Err(Failure::new(Kind::Failed, format!("{} tasks could not be changed", ended.failed)));
        }
        Ok(())
    }
}

async fn count(app: &App, selection: &Selection) -> Result<usize, Failure> {
    let mut found = app.inspector.find(selection.clone()).await?;
    let mut count = 0;
    while let Some(task) = found.next().await {
        task?;
        count += 1;
    }
    Ok(count)
}

/// The counts of a change of many.
pub(super) fn report(
    app: &App,
    action: &Action,
    counts: &[(&'static str, usize)],
    line: &str,
) -> Result<(), Failure> {
    let mut record = Record::new().field("action", "Action", Cell::text(&action.to_string()));
    for (name, count) in counts {
        record = record.field(name, name, Cell::count(*count));
    }
    app.printer.outcome(line, &record)
}

/// What a task is when the action is done.
pub(crate) fn past(action: &Action) -> &'static str {
    match action {
        Action::Run => "made pending",
        Action::Archive => "archived",
        Action::Delete => "deleted",
        Action::Move(_) => "moved",
        Action::Copy(_) => "copied",
        Action::Edit(_) => "changed",
        _ => "asked to cancel",
    }
}

/// The IDs, those of stdin in place of `-`.
fn named(given: impl Iterator<Item = String>) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for id in given {
        if id == "-" {
            for line in stdin().lock().lines() {
                let line = line?;
                ids.extend(Some(line.trim().to_owned()).filter(|line| !line.is_empty()));
            }
        } else {
            ids.push(id);
        }
    }
    Ok(ids)
}
