//! `asynq unique`: uniqueness locks, listed and released.

use asynq_core::inspector::LockStanding;
use asynq_core::task::TaskState;
use clap::{Args, Subcommand};

use super::for_each;
use crate::app::App;
use crate::complete;
use crate::failure::{Failure, Kind};
use crate::human;
use crate::output::{Cell, Column, Listing};

/// Uniqueness locks.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Unique {
    /// The locks that are held, and the states of their tasks.
    #[command(visible_alias = "ls")]
    List(List),
    /// Deletes locks, so that the next task of their kind is taken.
    Release(Release),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct List {
    /// Only of this queue; may be given several times.
    #[arg(short = 'q', long, value_name = "QUEUE", add = complete::queues())]
    queue: Vec<String>,
    /// Only those whose task is gone, done or archived.
    #[arg(long)]
    stale: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Release {
    /// The queue.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: String,
    /// Keys of locks, as `asynq unique list` tells them.
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
    /// Also those whose task waits or is being run, or that are to be kept for their whole time.
    #[arg(short = 'f', long)]
    force: bool,
}

impl Unique {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(app).await,
            Self::Release(release) => release.run(app).await,
        }
    }
}

impl List {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let mut listing = Listing::new(
            &[
                Column::new("key", "Lock"),
                Column::new("queue", "Queue"),
                Column::new("task_id", "Task"),
                Column::new("task_state", "State"),
                Column::new("expires_in_ms", "Expires in"),
                Column::wide("kept", "For its whole time"),
            ],
            "no locks",
        );
        for queue in super::named_or_all(app, self.queue).await? {
            let mut locks = app.inspector.locks(&queue).await?;
            while let Some(lock) = locks.next().await {
                let lock = lock?;
                if self.stale && is_in_use(&lock) {
                    continue;
                }
                listing.push([
                    Cell::text(&lock.key),
                    Cell::text(&queue),
                    Cell::text(lock.holder.as_str()),
                    lock.state.as_deref().map_or_else(|| Cell::new("gone", "gone"), Cell::text),
                    lock.expires_in.map_or_else(Cell::none, Cell::length),
                    Cell::flag(lock.is_kept),
                ]);
            }
        }
        app.printer.listing(&listing)
    }
}

impl Release {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let mut listing = Listing::new(&[Column::new("key", "Lock"), Column::new("outcome", "Outcome")], "");
        let (_, result) = for_each(&self.keys, async |key| {
            let shown = human::printable(key);
            let Some(lock) = app.inspector.lock(&self.queue, key).await? else {
                return Err(Failure::not_found(format!("nobody holds the lock {shown}")));
            };
            if !self.force && is_in_use(&lock) {
                let task = human::printable(lock.holder.as_str());
                let state = lock.state.as_deref().unwrap_or("gone");
                let what =
                    format!("the lock {shown} is in use: its task {task} is {state}; `--force` deletes it");
                return Err(Failure::new(Kind::Conflict, what));
            }
            if !app.inspector.release_lock(&self.queue, &lock).await? {
                return Err(Failure::new(
                    Kind::Conflict,
                    format!("the lock {shown} has changed; look again"),
                ));
            }
            listing.push([Cell::text(key), Cell::text("released")]);
            app.printer.say(&format!("{shown}: released"))
        })
        .await;
        if !app.printer.format.is_table() {
            app.printer.listing(&listing)?;
        }
        result
    }
}

/// Whether the lock does what it is for.
fn is_in_use(lock: &LockStanding) -> bool {
    let ended = [TaskState::Archived, TaskState::Completed].map(TaskState::as_str);
    lock.is_kept || lock.state.as_deref().is_some_and(|state| !ended.contains(&state))
}
