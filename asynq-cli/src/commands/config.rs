//! `asynq config`: how this tool is configured.

use clap::Subcommand;

use crate::failure::Failure;
use crate::output::{Cell, Column, Listing, Printer, print_line};
use crate::settings::{Settings, default_file};

/// Configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Every setting that is given, and where; passwords are hidden.
    Show,
    /// Where the configuration file is read from unless `--config` names another.
    Path,
}

impl Config {
    pub(crate) fn run(self, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
        match self {
            Self::Path => {
                let path = default_file()
                    .ok_or_else(|| Failure::usage("HOME is not set: name a file with --config"))?;
                print_line(&path.display().to_string())
            }
            Self::Show => {
                let columns = [
                    Column::new("name", "Name"),
                    Column::new("value", "Value"),
                    Column::new("origin", "Given by"),
                ];
                let mut listing = Listing::new(&columns, "nothing is set: redis://127.0.0.1:6379 is used");
                for (name, value, origin) in settings.shown() {
                    listing.push([Cell::text(name), Cell::text(&value), Cell::text(&origin.to_string())]);
                }
                printer.listing(&listing)
            }
        }
    }
}
