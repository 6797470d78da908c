//! [`Cron`]: what there is to do with schedules.

use clap::Subcommand;

use super::acting::{Delete, Names, Run};
use super::listing::{History, list};
use super::saving::{Create, Edit};
use super::show::Show;
use crate::app::App;
use crate::failure::Failure;

/// Schedules.
///
/// Those that are written in programs are listed while their schedulers live. Stored ones are managed here, and run by
/// servers and schedulers that are told to: `ASYNQ_STORED_SCHEDULES=true`. Both have an ID; stored ones also a name.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Cron {
    /// The entries of all schedulers that live, and what is stored.
    #[command(visible_alias = "ls")]
    List,
    /// What entries enqueued, newest first.
    History(History),
    /// All about schedules, and when they fire next.
    #[command(visible_alias = "inspect")]
    Show(Show),
    /// Stores a schedule.
    ///
    /// Servers and schedulers that run stored schedules take it up within about a second; its first tick is the next one.
    Create(Create),
    /// Changes a stored schedule: what is not named stays. If somebody else changes it meanwhile, nothing is saved.
    Edit(Edit),
    /// Lets stored schedules rest: they do not fire until they are resumed.
    Pause(Names),
    /// Ends that, from the next tick on: those of the pause are not made up.
    #[command(visible_alias = "unpause")]
    Resume(Names),
    /// Deletes stored schedules and their history, also those that cannot be read.
    #[command(visible_aliases = ["remove", "rm"])]
    Delete(Delete),
    /// Enqueues what schedules enqueue when they fire, now.
    Run(Run),
}

impl Cron {
    /// Whether it changes nothing.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(self, Self::List | Self::History(_) | Self::Show(_))
    }

    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::List => list(app).await,
            Self::History(history) => history.run(app).await,
            Self::Show(show) => show.run(app).await,
            Self::Create(create) => create.run(app).await,
            Self::Edit(edit) => edit.run(app).await,
            Self::Pause(names) => names.pause(app).await,
            Self::Resume(names) => names.resume(app).await,
            Self::Delete(delete) => delete.run(app).await,
            Self::Run(run) => run.run(app).await,
        }
    }
}
