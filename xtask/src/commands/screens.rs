//! `cargo xtask screens`: what the dashboard looks like, written anew.

use anyhow::Result;

use super::Command;
use super::command::no_arguments;
use crate::process::cargo;

/// See [`HELP`].
pub(crate) const SCREENS: Command = Command { help: HELP, run };

const HELP: &str = "\
Writes anew what the dashboard looks like: the screens that its tests compare with, and the pictures of the documentation.

Usage: cargo xtask screens

The real dashboard is drawn, on a store in memory and a clock that stands still, into
asynq-cli/src/commands/dash/tests/screens/ and docs/images/. Read the difference before you commit it.
";

fn run(arguments: &[String]) -> Result<()> {
    no_arguments(arguments)?;
    cargo(["test", "--locked", "-p", "asynq-cli", "--bin", "asynq", "dash::tests::screens"])
        .env("ASYNQ_BLESS", "1")
        .run()
}
