//! `cargo xtask screens`: what the dashboard and the Web UI look like, written anew.

use anyhow::Result;

use super::Command;
use super::command::no_arguments;
use crate::browser;
use crate::process::cargo;

/// See [`HELP`].
pub(crate) const SCREENS: Command = Command { help: HELP, run };

const HELP: &str = "\
Writes anew what the dashboard and the Web UI look like: the screens that tests compare with, and the pictures of the
documentation.

Usage: cargo xtask screens

The real dashboard is drawn, on a store in memory and a clock that stands still, into
asynq-cli/src/commands/dash/tests/screens/ and docs/images/. Every page of the sample site is drawn in both themes by
Chromium, into docs/images/web/. Read the difference before you commit it.
";

fn run(arguments: &[String]) -> Result<()> {
    no_arguments(arguments)?;
    cargo(["test", "--locked", "-p", "asynq-cli", "--bin", "asynq", "dash::tests::screens"])
        .env("ASYNQ_BLESS", "1")
        .run()?;
    browser::write_screens()
}
