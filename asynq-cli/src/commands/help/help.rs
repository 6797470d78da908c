//! `asynq help`, `man` and `completions`: what this tool tells of itself.

use std::path::PathBuf;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::env::Shells;

use super::{reference, tree};
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::{Format, Printer};
use crate::suggest;

#[derive(Args, Clone, Debug)]
pub(crate) struct Help {
    /// Of this command; of all unless one is named.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// The command, all below it and their arguments as JSON, for programs.
    #[arg(long)]
    json: bool,
    /// The whole reference, as in docs/cli.md.
    #[arg(long, hide = true, conflicts_with = "json")]
    markdown: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Man {
    /// Folder to write a page for each command into; without it, the page of `asynq` itself is printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

/// A shell that completes lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

/// All commands, with what is the same for all of them in place.
fn built() -> clap::Command {
    let mut command = Arguments::command();
    command.build();
    command
}

impl Help {
    pub(crate) fn run(self, printer: &Printer) -> Result<(), Failure> {
        let mut command = built();
        for name in &self.command {
            let Some(below) = command.find_subcommand(name) else {
                let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
                let hint = suggest::hint(name, known.iter().copied());
                return Err(Failure::usage(format!("there is no command `{name}`; {hint}")));
            };
            command = below.clone();
        }
        if self.markdown {
            let page = reference::markdown(&command).map_err(std::io::Error::other)?;
            return printer.line(page.trim_end());
        }
        if self.json || printer.format != Format::Table {
            return Printer {
                format: if self.json { Format::Json } else { printer.format },
                ..printer.clone()
            }
            .document(&tree::tree(&command));
        }
        let help = command.render_long_help();
        let text = if printer.bold { help.ansi().to_string() } else { help.to_string() };
        printer.line(text.trim_end())
    }
}

impl Man {
    pub(crate) fn run(self, printer: &Printer) -> Result<(), Failure> {
        let Some(folder) = self.out else {
            let mut page = Vec::new();
            clap_mangen::Man::new(built()).render(&mut page)?;
            return printer.sink.put(&page);
        };
        std::fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(Arguments::command(), &folder))
            .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))
    }
}

impl Completions {
    pub(crate) fn run(self, printer: &Printer) -> Result<(), Failure> {
        let name = self.shell.to_possible_value().map(|value| value.get_name().to_owned());
        let shells = Shells::builtins();
        let mut script = Vec::new();
        if let Some(shell) = shells.completer(&name.unwrap_or_default()) {
            shell.write_registration("COMPLETE", "asynq", "asynq", "asynq", &mut script)?;
        }
        printer.sink.put(&script)
    }
}
