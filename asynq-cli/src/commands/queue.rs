//! `asynq queue`: queues, looked at, paused, removed.

use asynq_core::Error;
use asynq_core::inspector::{QueueInfo, Selection};
use asynq_core::task::QueueName;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::drain::Drain;
use super::task::TypeCounts;
use super::{ask, for_each, queue_list};
use crate::app::App;
use crate::complete;
use crate::failure::{Failure, Kind};
use crate::human;
use crate::output::{Cell, Column, Listing, Record};

/// Queues.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Queue {
    /// The names of all queues, in a cluster with their slots and nodes; `-o wide` tells how they stand.
    #[command(visible_alias = "ls")]
    List,
    /// How queues stand.
    Inspect(Inspect),
    /// What queues processed on each day.
    History(History),
    /// Makes workers leave queues alone.
    Pause(Names),
    /// Ends that.
    #[command(visible_alias = "unpause")]
    Resume(Names),
    /// How much is left to be done in queues; `--wait` waits until nothing is.
    Drain(Drain),
    /// Deletes queues that are empty, or with `--force` their tasks too.
    #[command(visible_aliases = ["rm", "delete"])]
    Remove(Remove),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Names {
    /// Names of queues.
    #[arg(required = true, value_name = "QUEUE", add = complete::queues())]
    queues: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Inspect {
    /// Names of queues.
    #[arg(required = true, value_name = "QUEUE", add = complete::queues())]
    queues: Vec<String>,
    /// Also how many tasks of each type there are; every task is read for it.
    #[arg(long)]
    types: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct History {
    /// Names of queues.
    #[arg(required = true, value_name = "QUEUE", add = complete::queues())]
    queues: Vec<String>,
    /// How many days.
    #[arg(short = 'x', long, default_value_t = 10)]
    days: usize,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Remove {
    /// Names of queues.
    #[arg(required = true, value_name = "QUEUE", add = complete::queues())]
    queues: Vec<String>,
    /// Delete their tasks too; the name of each must be typed to confirm it.
    #[arg(short = 'f', long)]
    force: bool,
    /// With `--force`: do not ask.
    #[arg(short = 'y', long)]
    yes: bool,
}

const COLUMNS: [Column; 17] = [
    Column::new("queue", "Queue"),
    Column::new("size", "Size"),
    Column::new("pending", "Pending"),
    Column::new("active", "Active"),
    Column::new("scheduled", "Scheduled"),
    Column::new("retry", "Retry"),
    Column::new("archived", "Archived"),
    Column::new("completed", "Completed"),
    Column::new("aggregating", "Aggregating"),
    Column::wide("groups", "Groups"),
    Column::new("paused", "Paused"),
    Column::new("latency_ms", "Latency"),
    Column::wide("memory_bytes", "Memory"),
    Column::new("processed", "Processed"),
    Column::new("failed", "Failed"),
    Column::wide("processed_total", "Processed ever"),
    Column::wide("failed_total", "Failed ever"),
];

fn cells(queue: &QueueInfo) -> [Cell; 17] {
    [
        Cell::text(queue.queue.as_str()),
        Cell::count(queue.size()),
        Cell::count(queue.pending),
        Cell::count(queue.active),
        Cell::count(queue.scheduled),
        Cell::count(queue.retry),
        Cell::count(queue.archived),
        Cell::count(queue.completed),
        Cell::count(queue.aggregating),
        Cell::count(queue.groups),
        Cell::flag(queue.is_paused()),
        Cell::length(queue.latency),
        Cell::size(queue.memory_usage),
        Cell::total(queue.processed),
        Cell::total(queue.failed),
        Cell::total(queue.processed_total),
        Cell::total(queue.failed_total),
    ]
}

/// What is said where there are none.
pub(super) const NONE: &str = "no queues: no task was ever enqueued here";

/// Queues as rows.
pub(crate) fn table(queues: &[QueueInfo]) -> Listing {
    let mut listing = Listing::new(&COLUMNS, NONE);
    for queue in queues {
        listing.push(cells(queue));
    }
    listing
}

/// A queue as an object.
pub(crate) fn object(queue: &QueueInfo) -> Value {
    let fields = COLUMNS.iter().zip(cells(queue));
    Value::Object(fields.map(|(column, cell)| (column.name.to_owned(), cell.value)).collect())
}

impl Queue {
    /// Whether it changes nothing.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(self, Self::List | Self::Inspect(_) | Self::History(_))
    }

    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::List => queue_list::run(app).await,
            Self::Inspect(inspect) => inspect.run(app).await,
            Self::History(history) => history.run(app).await,
            Self::Drain(drain) => drain.run(app).await,
            Self::Pause(names) => {
                change(app, &names.queues, async |queue| {
                    let changed = app.inspector.pause(existing(app, queue).await?).await?;
                    Ok(if changed { "paused" } else { "already paused" })
                })
                .await
            }
            Self::Resume(names) => {
                change(app, &names.queues, async |queue| {
                    let changed = app.inspector.resume(existing(app, queue).await?).await?;
                    Ok(if changed { "resumed" } else { "not paused" })
                })
                .await
            }
            Self::Remove(remove) => {
                change(app, &remove.queues, async |queue| {
                    if remove.force {
                        if !remove.yes {
                            confirm(app, queue).await?;
                        }
                        app.inspector.force_delete_queue(queue).await?;
                    } else {
                        app.inspector.delete_queue(queue).await.map_err(|error| {
                            let failure = Failure::from(error);
                            if failure.kind() == Kind::Conflict {
                                let hint = format!("{}; `--force` does that", failure.message());
                                return Failure::new(Kind::Conflict, hint);
                            }
                            failure
                        })?;
                    }
                    Ok("removed")
                })
                .await
            }
        }
    }
}

impl Inspect {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let (records, result) = for_each(&self.queues, async |name| {
            let record = record(&app.inspector.queue_info(name).await?, app.now());
            if !self.types {
                return Ok(record);
            }
            let types = TypeCounts::of(app, Selection::new().queue(name)).await?;
            Ok(record.block("types", "Types", types.cell()))
        })
        .await;
        if !records.is_empty() {
            app.printer.records(&records)?;
        }
        result
    }
}

/// Whoever deletes a queue with its tasks types its name.
async fn confirm(app: &App, queue: &str) -> Result<(), Failure> {
    let size = app.inspector.queue_info(queue).await?.size();
    let name = human::printable(queue);
    ask::for_word(&format!("Delete queue {name} and its {size} tasks? Type its name:"), queue)
}

fn record(queue: &QueueInfo, now: jiff::Timestamp) -> Record {
    Record::new()
        .field("queue", "Name", Cell::text(queue.queue.as_str()))
        .field("size", "Size", Cell::count(queue.size()))
        .field("groups", "Groups", Cell::count(queue.groups))
        .field("paused", "Paused", Cell::flag(queue.is_paused()))
        .field("paused_since", "Paused since", Cell::moment(queue.paused_since, now))
        .field("latency_ms", "Latency", Cell::length(queue.latency))
        .field("memory_bytes", "Memory", Cell::size(queue.memory_usage))
        .field("active", "Active", Cell::count(queue.active))
        .field("orphaned", "Orphaned", Cell::count(queue.orphaned))
        .field("pending", "Pending", Cell::count(queue.pending))
        .field("aggregating", "Aggregating", Cell::count(queue.aggregating))
        .field("staged", "Being aggregated", Cell::count(queue.staged))
        .field("scheduled", "Scheduled", Cell::count(queue.scheduled))
        .field("retry", "Retry", Cell::count(queue.retry))
        .field("archived", "Archived", Cell::count(queue.archived))
        .field("completed", "Completed", Cell::count(queue.completed))
        .field("processed", "Processed today", Cell::total(queue.processed))
        .field("failed", "Failed today", Cell::total(queue.failed))
        .field("error_rate", "Error rate today", Cell::rate(human::error_rate(queue.failed, queue.processed)))
        .field("processed_total", "Processed ever", Cell::total(queue.processed_total))
        .field("failed_total", "Failed ever", Cell::total(queue.failed_total))
}

impl History {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let mut listing = Listing::new(
            &[
                Column::new("queue", "Queue"),
                Column::new("date", "Date (UTC)"),
                Column::new("processed", "Processed"),
                Column::new("failed", "Failed"),
                Column::new("error_rate", "Error rate"),
            ],
            "",
        );
        let (_, result) = for_each(&self.queues, async |queue| {
            for day in app.inspector.history(queue, self.days).await? {
                listing.push([
                    Cell::text(queue),
                    Cell::text(&day.date.to_string()),
                    Cell::total(day.processed),
                    Cell::total(day.failed),
                    Cell::rate(human::error_rate(day.failed, day.processed)),
                ]);
            }
            Ok(())
        })
        .await;
        if !listing.rows.is_empty() {
            app.printer.listing(&listing)?;
        }
        result
    }
}

/// Go pauses queues that do not exist; a misspelled name is an error here.
pub(crate) async fn existing(app: &App, name: &str) -> Result<QueueName, Failure> {
    let queue = QueueName::new(name).map_err(Error::from)?;
    if !app.client.broker().queue_exists(&queue).await.map_err(Error::from)? {
        return Err(Error::QueueNotFound { queue }.into());
    }
    Ok(queue)
}

async fn change(
    app: &App,
    queues: &[String],
    mut act: impl AsyncFnMut(&str) -> Result<&'static str, Failure>,
) -> Result<(), Failure> {
    let mut listing = Listing::new(&[Column::new("queue", "Queue"), Column::new("outcome", "Outcome")], "");
    let (_, result) = for_each(queues, async |queue| {
        let outcome = act(queue).await?;
        listing.push([Cell::text(queue), Cell::text(outcome)]);
        app.printer.say(&format!("queue {}: {outcome}", human::printable(queue)))
    })
    .await;
    if !app.printer.format.is_table() {
        app.printer.listing(&listing)?;
    }
    result
}
