//! `cargo xtask reliability`: what docs/reliability.md shows, measured again.

use anyhow::{Result, bail};

use super::Command;
use super::soak::faults;
use crate::contenders::Build;
use crate::packages::{self, GO, REDIS};
use crate::{go, places};

/// See [`HELP`].
pub(crate) const RELIABILITY: Command = Command { help: HELP, run };

const HELP: &str = "\
Puts asynq for Rust, Go's asynq and two other libraries through the same faults, and Redis through its settings.

Usage: cargo xtask reliability [--compare [FAULT] | --settings]

  --compare   Only the libraries; with FAULT, only the faults with this text in their names
  --settings  Only what Redis loses by how it is set up

Prints the tables of docs/reliability.md. Takes about 20 minutes, most of them waiting for what does not come.
";

/// The other libraries' programs, each a package outside of the workspace.
const CONTENDERS: [&str; 2] = ["apalis", "sidekiq"];

fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            compare(None)?;
            settings()
        }
        ["--compare"] => compare(None),
        ["--compare", fault] => compare(Some(fault)),
        ["--settings"] => settings(),
        _ => bail!("unexpected arguments `{}`; see `cargo xtask reliability --help`", words.join(" ")),
    }
}

fn compare(only: Option<&str>) -> Result<()> {
    packages::ensure(&[&REDIS, &GO])?;
    let peer = go::PEER.build()?;
    for name in CONTENDERS {
        Build::Release.other(name)?;
    }
    let mut test = faults("compare::compare")
        .env("ASYNQ_GOPEER", places::display(&peer))
        .env("ASYNQ_CONTENDERS", places::display(&Build::Release.programs()));
    if let Some(only) = only {
        test = test.env("ASYNQ_RELIABILITY_ONLY", only);
    }
    test.run()
}

fn settings() -> Result<()> {
    packages::ensure(&[&REDIS])?;
    faults("settings::settings").run()
}
