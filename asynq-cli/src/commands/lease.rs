//! `asynq lease`: who holds which task, and until when.

use asynq_core::Error;
use asynq_core::inspector::{Collection, TaskDetail};
use clap::{Args, Subcommand};

use crate::app::App;
use crate::complete;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};

/// Leases of tasks that are being run.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Lease {
    /// The leases of tasks that are being run; an orphan is one whose worker is gone.
    #[command(visible_alias = "ls")]
    List(List),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct List {
    /// Only of this queue; may be given several times.
    #[arg(short = 'q', long, value_name = "QUEUE", add = complete::queues())]
    queue: Vec<String>,
    /// Only those whose worker is gone.
    #[arg(long)]
    orphans: bool,
}

impl Lease {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let Self::List(List { queue: queues, orphans }) = self;
        let queues = super::named_or_all(app, queues).await?;
        let nothing = if orphans { "no orphans" } else { "no tasks are being run" };
        let mut listing = Listing::new(
            &[
                Column::new("id", "ID"),
                Column::new("queue", "Queue"),
                Column::new("type", "Type"),
                Column::new("lease_until", "Lease until"),
                Column::new("orphaned", "Orphaned"),
                Column::new("server_id", "Server"),
                Column::new("crashes", "Crashes"),
            ],
            nothing,
        );
        for queue in queues {
            let mut tasks = app.inspector.tasks(&queue, Collection::Active).await?;
            while let Some(task) = tasks.next().await {
                match app.inspector.task(&queue, &task?.id).await {
                    Ok(task) if !orphans || task.info.is_orphaned => listing.push(cells(&task, app.now())),
                    // Not an orphan; or done since it was listed.
                    Ok(_) | Err(Error::TaskNotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        app.printer.listing(&listing)
    }
}

fn cells(task: &TaskDetail, now: jiff::Timestamp) -> [Cell; 7] {
    [
        Cell::text(task.info.id.as_str()),
        Cell::text(task.info.queue.as_str()),
        Cell::text(task.info.task_type.as_str()),
        Cell::relative(task.lease_until, now),
        Cell::flag(task.info.is_orphaned),
        // A server of Go leaves no name.
        task.server_id.as_deref().map_or_else(Cell::none, Cell::text),
        Cell::number(task.crashes),
    ]
}
