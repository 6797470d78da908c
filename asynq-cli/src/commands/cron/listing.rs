//! `asynq cron list` and `history`: all schedules, and what they enqueued.

use asynq_core::Error;
use asynq_core::inspector::Page;
use asynq_core::scheduler::StoredSchedules;
use clap::Args;

use super::super::for_each;
use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};
use crate::{complete, human};

#[derive(Args, Clone, Debug)]
pub(crate) struct History {
    /// IDs of entries, or names of stored schedules.
    #[arg(required = true, value_name = "ENTRY", add = complete::entries())]
    entries: Vec<String>,
    /// Which page.
    #[arg(long, default_value_t = 1)]
    page: usize,
    /// How many for each entry.
    #[arg(long, default_value_t = Page::DEFAULT_SIZE)]
    size: usize,
}

pub(super) async fn list(app: &App) -> Result<(), Failure> {
    let mut known = StoredSchedules::new(&app.client).known().await?;
    known.schedules.sort_by(|a, b| (&a.entry.spec, &a.entry.id).cmp(&(&b.entry.spec, &b.entry.id)));
    for bad in &known.unreadable {
        let (name, reason) = (human::printable(&bad.name), human::printable(&bad.reason));
        eprintln!("warning: the stored schedule {name} cannot be read: {reason}");
    }
    let mut listing = Listing::new(
        &[
            Column::new("id", "EntryID"),
            Column::new("spec", "Spec"),
            Column::new("type", "Type"),
            Column::new("payload", "Payload"),
            Column::new("options", "Options"),
            Column::new("next_at", "Next"),
            Column::new("prev_at", "Prev"),
            Column::new("state", "State"),
            Column::new("name", "Name"),
        ],
        "no schedules: no scheduler runs, or it has no entries, and none is stored",
    );
    for schedule in &known.schedules {
        let entry = &schedule.entry;
        let mut options: Vec<String> = entry.options.iter().map(ToString::to_string).collect();
        options.extend(entry.unreadable_options.iter().cloned());
        listing.push([
            Cell::text(&entry.id),
            Cell::text(&entry.spec),
            Cell::text(entry.task_type.as_str()),
            Cell::bytes(&entry.payload),
            Cell::new(human::printable(&options.join(", ")), options),
            Cell::relative(entry.next, app.now()),
            Cell::relative(entry.prev, app.now()),
            Cell::text(schedule.state().as_str()),
            schedule.name().map_or_else(Cell::none, Cell::text),
        ]);
    }
    app.printer.listing(&listing)
}

impl History {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let page = Page::new(self.page, self.size).map_err(Error::from)?;
        let schedules = StoredSchedules::new(&app.client);
        let mut listing = Listing::new(
            &[
                Column::new("task_id", "TaskID"),
                Column::new("enqueued_at", "EnqueuedAt"),
                Column::new("entry_id", "EntryID"),
            ],
            "nothing was enqueued by this entry, or there is none of this ID",
        );
        let (_, result) = for_each(&self.entries, async |entry| {
            let id = match schedules.get(entry).await {
                Ok(stored) => stored.entry_id().to_string(),
                Err(Error::Broker(error)) => return Err(Error::Broker(error).into()),
                Err(_) => entry.to_owned(),
            };
            for event in app.inspector.enqueue_events(&id, page).await? {
                listing.push([
                    Cell::text(&event.task_id),
                    Cell::moment(event.enqueued_at, app.now()),
                    Cell::text(&id),
                ]);
            }
            Ok(())
        })
        .await;
        app.printer.listing(&listing)?;
        result
    }
}
