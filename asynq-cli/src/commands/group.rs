//! `asynq group`: tasks that wait to be aggregated.

use clap::{Args, Subcommand};

use crate::app::App;
use crate::complete;
use crate::failure::Failure;
use crate::human;
use crate::output::{Cell, Column, Format, Listing, Printer};

/// Groups.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Group {
    /// The groups of a queue; `-o wide` tells their sizes.
    #[command(visible_alias = "ls")]
    List(List),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct List {
    /// The queue.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: String,
}

impl Group {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let Self::List(List { queue }) = self;
        let nothing = format!("no groups in queue {}", human::printable(&queue));
        let mut listing =
            Listing::new(&[Column::new("group", "Group"), Column::wide("size", "Size")], nothing);
        for group in app.inspector.groups(&queue).await? {
            listing.push([Cell::text(&group.group), Cell::count(group.size)]);
        }
        // As Go: names alone, to be piped on.
        let headings = app.printer.headings && app.printer.format != Format::Table;
        Printer { headings, ..app.printer.clone() }.listing(&listing)
    }
}
