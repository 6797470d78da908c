//! `asynq redis`: the server behind it all.

use clap::Subcommand;

use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};

/// Redis.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Redis {
    /// What its `INFO` says and, in a cluster, `CLUSTER INFO`.
    Info,
}

impl Redis {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let mut listing = Listing::new(&[Column::new("name", "Name"), Column::new("value", "Value")], "");
        for (name, value) in app.inspector.store_info().await? {
            listing.push([Cell::text(&name), Cell::text(&value)]);
        }
        app.printer.listing(&listing)
    }
}
