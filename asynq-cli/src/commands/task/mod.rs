//! `asynq task`: tasks, found, looked at, changed and enqueued.

mod act;
mod batch;
mod editor;
mod enqueue;
mod errors;
mod find;
mod inspect;
mod payload;
mod rows;
mod types;
mod whole;
mod window;

use clap::Subcommand;

pub(crate) use act::{pair, past};
pub(crate) use inspect::record;
pub(crate) use payload::{formats, read as payload_bytes};
pub(crate) use types::TypeCounts;

use crate::app::App;
use crate::failure::Failure;

/// Tasks.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Task {
    /// The tasks of a queue in one state, page by page; or with a filter, all that fit.
    #[command(visible_alias = "ls")]
    List(find::List),
    /// Looks for a task ID, or a filter, in all queues.
    Find(find::Find),
    /// How many tasks of each type are in each state.
    Types(types::Types),
    /// Which errors there are, and of how many tasks: those that differ in numbers and names alone are one.
    Errors(errors::Errors),
    /// All that is stored of a task.
    Inspect(inspect::Inspect),
    /// Asks workers to cancel tasks.
    Cancel(act::Cancel),
    /// Makes tasks pending.
    Run(act::Change),
    /// Gives tasks up; they are kept, and can be run again.
    Archive(act::Change),
    /// Deletes tasks.
    #[command(visible_aliases = ["remove", "rm"])]
    Delete(act::Change),
    /// Moves tasks to another queue.
    #[command(visible_alias = "mv")]
    Move(act::Move),
    /// Enqueues tasks once more, as they are, under new IDs.
    #[command(visible_alias = "cp")]
    Copy(act::Copy),
    /// Changes tasks that are not being run: payload, time, options.
    ///
    /// With one ID and nothing else, the payload is opened in `$VISUAL` or `$EDITOR`. It is stored unless somebody else has
    /// changed it meanwhile.
    Edit(act::Edit),
    /// Makes all tasks of one state pending.
    Runall(whole::Whole),
    /// Archives all tasks of one state.
    Archiveall(whole::Whole),
    /// Deletes all tasks of one state.
    Deleteall(whole::Whole),
    /// Enqueues a task, or one for each line of a file.
    Enqueue(enqueue::Enqueue),
}

impl Task {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(app).await,
            Self::Find(command) => command.run(app).await,
            Self::Types(command) => command.run(app).await,
            Self::Errors(command) => command.run(app).await,
            Self::Inspect(command) => command.run(app).await,
            Self::Cancel(command) => command.run(app).await,
            Self::Run(command) => command.run(app, act::Verb::Run).await,
            Self::Archive(command) => command.run(app, act::Verb::Archive).await,
            Self::Delete(command) => command.run(app, act::Verb::Delete).await,
            Self::Move(command) => command.run(app).await,
            Self::Copy(command) => command.run(app).await,
            Self::Edit(command) => command.run(app).await,
            Self::Runall(command) => command.run(app, act::Verb::Run).await,
            Self::Archiveall(command) => command.run(app, act::Verb::Archive).await,
            Self::Deleteall(command) => command.run(app, act::Verb::Delete).await,
            Self::Enqueue(command) => command.run(app).await,
        }
    }

    /// Whether it says how far it came when it is stopped.
    pub(crate) fn changes_many(&self) -> bool {
        !self.only_looks() && !matches!(self, Self::Cancel(_))
    }

    /// Whether it changes nothing.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(self, Self::List(_) | Self::Find(_) | Self::Types(_) | Self::Errors(_) | Self::Inspect(_))
    }
}
