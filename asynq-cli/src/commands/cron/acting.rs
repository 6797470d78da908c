//! `asynq cron pause`, `resume`, `delete` and `run`: what is done to schedules that are named.

use asynq_core::scheduler::StoredSchedules;
use clap::Args;

use super::super::{ask, for_each};
use super::show::named;
use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};
use crate::{complete, human};

#[derive(Args, Clone, Debug)]
pub(crate) struct Names {
    /// Names of stored schedules.
    #[arg(required = true, value_name = "NAME", add = complete::schedules())]
    names: Vec<String>,
    /// Change nothing; say what would be done.
    #[arg(long)]
    dry_run: bool,
}

impl Names {
    pub(super) async fn pause(self, app: &App) -> Result<(), Failure> {
        let schedules = StoredSchedules::new(&app.client);
        change(app, &self.names, async |name| {
            let paused = if self.dry_run {
                let is_paused = schedules.get(name).await?.paused_since().is_some();
                return Ok(if is_paused { "already paused" } else { "would be paused" });
            } else {
                schedules.pause(name).await?
            };
            Ok(if paused { "paused" } else { "already paused" })
        })
        .await
    }

    pub(super) async fn resume(self, app: &App) -> Result<(), Failure> {
        let schedules = StoredSchedules::new(&app.client);
        change(app, &self.names, async |name| {
            if self.dry_run {
                let is_paused = schedules.get(name).await?.paused_since().is_some();
                return Ok(if is_paused { "would be resumed" } else { "not paused" });
            }
            Ok(if schedules.resume(name).await? { "resumed" } else { "not paused" })
        })
        .await
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Delete {
    #[command(flatten)]
    which: Names,
    /// Do not ask.
    #[arg(short = 'y', long)]
    yes: bool,
}

impl Delete {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let Names { names, dry_run } = self.which;
        let schedules = StoredSchedules::new(&app.client);
        if !dry_run && !self.yes {
            let listed: Vec<String> = names.iter().map(|name| human::printable(name)).collect();
            ask::yes(&format!("Delete {}?", listed.join(", ")))?;
        }
        change(app, &names, async |name| {
            if dry_run {
                return match schedules.get(name).await {
                    Ok(_) | Err(asynq_core::Error::UnreadableSchedule { .. }) => Ok("would be deleted"),
                    Err(error) => Err(error.into()),
                };
            }
            schedules.delete(name).await?;
            Ok("deleted")
        })
        .await
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// Names of stored schedules, or IDs of entries.
    #[arg(required = true, value_name = "SCHEDULE", add = complete::entries())]
    schedules: Vec<String>,
}

impl Run {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let schedules = StoredSchedules::new(&app.client);
        let known = schedules.known().await?.schedules;
        let columns = [
            Column::new("schedule", "Schedule"),
            Column::new("queue", "Queue"),
            Column::new("task_id", "TaskID"),
        ];
        let mut listing = Listing::new(&columns, "");
        let (_, result) = for_each(&self.schedules, async |given| {
            let schedule = named(app, &known, given).await?;
            let task = match &schedule.stored {
                Some(stored) => schedules.task(stored)?,
                None => schedule.entry.task()?,
            };
            let info = app.client.enqueue(task).await?.into_info();
            let (id, queue) = (info.id.as_str(), info.queue.as_str());
            listing.push([Cell::text(given), Cell::text(queue), Cell::text(id)]);
            let [given, id, queue] = [given, id, queue].map(human::printable);
            app.printer.say(&format!("{given}: enqueued {id} in queue {queue}"))
        })
        .await;
        if !app.printer.format.is_table() {
            app.printer.listing(&listing)?;
        }
        result
    }
}

async fn change(
    app: &App,
    names: &[String],
    mut act: impl AsyncFnMut(&str) -> Result<&'static str, Failure>,
) -> Result<(), Failure> {
    let mut listing = Listing::new(&[Column::new("name", "Name"), Column::new("outcome", "Outcome")], "");
    let (_, result) = for_each(names, async |name| {
        let outcome = act(name).await?;
        listing.push([Cell::text(name), Cell::text(outcome)]);
        app.printer.say(&format!("schedule {}: {outcome}", human::printable(name)))
    })
    .await;
    if !app.printer.format.is_table() {
        app.printer.listing(&listing)?;
    }
    result
}
