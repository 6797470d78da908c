//! `asynq cron`: schedules and what they enqueued.

use asynq_core::inspector::Page;
use clap::{Args, Subcommand};

use super::for_each;
use crate::app::App;
use crate::complete;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};

/// Schedules.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Cron {
    /// The entries of all schedulers that live.
    #[command(visible_alias = "ls")]
    List,
    /// What entries enqueued, newest first.
    History(History),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct History {
    /// IDs of entries.
    #[arg(required = true, value_name = "ENTRY", add = complete::entries())]
    entries: Vec<String>,
    /// Which page.
    #[arg(long, default_value_t = 1)]
    page: usize,
    /// How many for each entry.
    #[arg(long, default_value_t = Page::DEFAULT_SIZE)]
    size: usize,
}

impl Cron {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::List => list(app).await,
            Self::History(history) => history.run(app).await,
        }
    }
}

async fn list(app: &App) -> Result<(), Failure> {
    let mut entries = app.inspector.scheduler_entries().await?;
    entries.sort_by(|a, b| (&a.spec, &a.id).cmp(&(&b.spec, &b.id)));
    let mut listing = Listing::new(
        &[
            Column::new("id", "EntryID"),
            Column::new("spec", "Spec"),
            Column::new("type", "Type"),
            Column::new("payload", "Payload"),
            Column::new("options", "Options"),
            Column::new("next_at", "Next"),
            Column::new("prev_at", "Prev"),
        ],
        "no schedules: no scheduler runs, or it has no entries",
    );
    for entry in entries {
        let mut options: Vec<String> = entry.options.iter().map(ToString::to_string).collect();
        options.extend(entry.unreadable_options);
        listing.push([
            Cell::text(&entry.id),
            Cell::text(&entry.spec),
            Cell::text(entry.task_type.as_str()),
            Cell::bytes(&entry.payload),
            Cell::new(crate::human::printable(&options.join(", ")), options),
            Cell::relative(entry.next, app.now()),
            Cell::relative(entry.prev, app.now()),
        ]);
    }
    app.printer.listing(&listing)
}

impl History {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let page = Page::new(self.page, self.size).map_err(asynq_core::Error::from)?;
        let mut listing = Listing::new(
            &[
                Column::new("task_id", "TaskID"),
                Column::new("enqueued_at", "EnqueuedAt"),
                Column::new("entry_id", "EntryID"),
            ],
            "nothing was enqueued by this entry, or there is none of this ID",
        );
        let (_, result) = for_each(&self.entries, async |entry| {
            for event in app.inspector.enqueue_events(entry, page).await? {
                listing.push([
                    Cell::text(&event.task_id),
                    Cell::moment(event.enqueued_at, app.now()),
                    Cell::text(entry),
                ]);
            }
            Ok(())
        })
        .await;
        app.printer.listing(&listing)?;
        result
    }
}
