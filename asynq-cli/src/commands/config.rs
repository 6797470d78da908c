//! `asynq config`: how this tool is configured.

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output::{Cell, Column, Listing, Printer};
use crate::settings::{Settings, default_file};

/// Configuration.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Config {
    /// Every setting that is given; passwords are hidden.
    Show(Show),
    /// Where the configuration file is read from unless `--config` names another.
    Path,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Show {
    /// Tell where each is given, as `-o wide` does.
    #[arg(long)]
    origin: bool,
}

impl Config {
    pub(crate) fn run(self, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
        match self {
            Self::Path => {
                let path = default_file()
                    .ok_or_else(|| Failure::usage("HOME is not set: name a file with --config"))?;
                printer.line(&path.display().to_string())
            }
            Self::Show(Show { origin }) => {
                let columns = [
                    Column::new("name", "Name"),
                    Column::new("value", "Value"),
                    Column { wide: !origin, ..Column::new("origin", "Given by") },
                ];
                let mut listing = Listing::new(&columns, "nothing is set: redis://127.0.0.1:6379 is used");
                for (name, value, origin) in settings.all() {
                    listing.push([Cell::text(name), Cell::text(&value), Cell::text(&origin.to_string())]);
                }
                printer.listing(&listing)
            }
        }
    }
}
