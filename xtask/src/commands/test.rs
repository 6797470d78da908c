//! `cargo xtask test`: every test, on a machine that may have nothing but Rust.

use anyhow::{Result, bail};

use super::Command;
use crate::packages::{self, GO, PROMETHEUS, REDIS, TMUX};
use crate::process::cargo;
use crate::{browser, go, places};

/// See [`HELP`].
pub(crate) const TEST: Command = Command { help: HELP, run };

const HELP: &str = "\
Every test: units, integration, examples, documentation, and the Web UI in a browser.

Usage: cargo xtask test [-- ARGS]

Installs the programs that are missing (apt-get; elsewhere it says which), builds the Go peer of the
compatibility tests into target/gopeer/ and names it in ASYNQ_GOPEER, the real asynqmon likewise, runs `cargo test`, and then the tests
of `asynq-web/tests/browser`, with npm's playwright-core and axe-core.
ARGS go to the test programs: `cargo xtask test -- retry::` runs the tests with `retry::` in their names, and
none in a browser.
";

fn run(arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        None => run_tests(&[]),
        Some((dashes, rest)) if dashes == "--" => run_tests(rest),
        Some((other, _)) => bail!("unexpected argument `{other}`; arguments for the tests follow `--`"),
    }
}

/// Runs every test; `arguments` go to the test programs.
pub(crate) fn run_tests(arguments: &[String]) -> Result<()> {
    packages::ensure(&[&REDIS, &GO, &TMUX, &PROMETHEUS])?;
    let (peer, asynqmon) = (go::PEER.build()?, go::ASYNQMON.build()?);
    for selection in ["--all-targets", "--doc"] {
        let mut tests = cargo(["test", "--locked", "--workspace", "--all-features", selection]);
        if !arguments.is_empty() {
            tests = tests.arg("--").args(arguments);
        }
        tests
            .env("ASYNQ_GOPEER", places::display(&peer))
            .env("ASYNQ_ASYNQMON", places::display(&asynqmon))
            .run()?;
    }
    if arguments.is_empty() { browser::run_tests() } else { Ok(()) }
}
