//! `cargo xtask web-load`: how quick the Web UI is where there is much of everything.

use anyhow::Result;

use super::Command;
use super::command::no_arguments;
use crate::packages::{self, REDIS};
use crate::process::cargo;

/// See [`HELP`].
pub(crate) const WEB_LOAD: Command = Command { help: HELP, run };

const HELP: &str = "\
Asks the Web UI for every page, and its API for every answer, on a Redis with 5,000 queues, a million pending tasks in one,
100,000 groups in another and 40 payloads of 5 MB, and prints how long each took.

Usage: cargo xtask web-load

Fails where an answer takes more than a second, or Redis more than 50 ms for a command. Built in release; takes some 2 GB of
memory. It tells something on a quiet machine only: what waits for a processor is slow.
";

fn run(arguments: &[String]) -> Result<()> {
    no_arguments(arguments)?;
    packages::ensure(&[&REDIS])?;
    cargo([
        "test",
        "--locked",
        "--release",
        "-p",
        "asynq-web",
        "--test",
        "web",
        "--",
        "--nocapture",
        "load::every_answer",
    ])
    .env("ASYNQ_WEB_LOAD", "1")
    .run()
}
