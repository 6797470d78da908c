//! `asynq context`: the contexts of the configuration file.

use clap::{Args, Subcommand};

use crate::complete;
use crate::failure::Failure;
use crate::human;
use crate::output::{Cell, Column, Listing, Printer};
use crate::settings::{ConfigFile, ConnectionArguments, shown};

/// Contexts: settings under a name, in the configuration file.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Context {
    /// All of them, and which one is used.
    #[command(visible_alias = "ls")]
    List,
    /// Makes one the one that is used unless `--context` names another.
    Use(Name),
    /// The settings of one; passwords are hidden.
    Show(MaybeName),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Name {
    /// The context.
    #[arg(value_name = "NAME", add = complete::contexts())]
    name: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct MaybeName {
    /// The context; the one that is used unless one is named.
    #[arg(value_name = "NAME", add = complete::contexts())]
    name: Option<String>,
}

impl Context {
    pub(crate) fn run(self, connection: &ConnectionArguments, printer: &Printer) -> Result<(), Failure> {
        let path = connection.file().ok_or_else(|| {
            Failure::usage("there is no configuration file; `asynq config path` says where it would be")
        })?;
        let file = ConfigFile::read(&path)?;
        let current = connection.context()?.map(str::to_owned).or_else(|| file.current.clone());
        match self {
            Self::List => {
                let columns = [
                    Column::new("name", "Name"),
                    Column::new("current", "Current"),
                    Column::new("redis_url", "Redis"),
                ];
                let nothing = format!("{} has no contexts: add [context.NAME]", path.display());
                let mut listing = Listing::new(&columns, nothing);
                for (name, settings) in &file.contexts {
                    let redis = settings.iter().find(|(setting, _)| *setting == "redis_url");
                    let redis = redis.map(|(setting, value)| shown(setting, value)).unwrap_or_default();
                    let is_current = current.as_deref() == Some(name);
                    listing.push([Cell::text(name), Cell::flag(is_current), Cell::text_or_none(&redis)]);
                }
                printer.listing(&listing)
            }
            Self::Use(Name { name }) => {
                file.choose(&name)?;
                printer.say(&format!("context {} is used from now on", human::printable(&name)))
            }
            Self::Show(MaybeName { name }) => {
                let name = name.or(current);
                let name = name.ok_or_else(|| Failure::usage("no context is used: name one"))?;
                let columns = [Column::new("name", "Name"), Column::new("value", "Value")];
                let mut listing = Listing::new(&columns, "this context sets nothing");
                for (setting, value) in file.context(&name)? {
                    listing.push([Cell::text(setting), Cell::text(&shown(setting, value))]);
                }
                printer.listing(&listing)
            }
        }
    }
}
