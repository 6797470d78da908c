//! `cargo xtask bench`: our worker and Go's, in turns, on one Redis.

use anyhow::Result;

use super::Command;
use crate::packages::{self, GO, REDIS};
use crate::process::cargo;
use crate::{go, places};

/// See [`HELP`].
pub(crate) const BENCH: Command = Command { help: HELP, run };

const HELP: &str = "\
Measures asynq for Rust and Go's asynq in turns on one Redis of its own.

Usage: cargo xtask bench [--quick] [--only QUESTION] [--write] [--ours PROGRAM]

  --quick          One round with few tasks; prints, and writes nothing
  --only QUESTION  The rows with this text in their names, such as `drain` or `drain c=50 calls`
  --write          Write the results of a quick run too
  --ours PROGRAM   Measure another build of asynq-bench in our place

Writes bench/RESULTS.md and bench/results.json. bench/README.md says what is measured and how.
";

fn run(arguments: &[String]) -> Result<()> {
    packages::ensure(&[&REDIS, &GO])?;
    let theirs = go::BENCH.build()?;
    cargo(["run", "--release", "--locked", "--package", "asynq-bench", "--"])
        .args(arguments)
        .env("ASYNQ_BENCH_GO", places::display(&theirs))
        .run()
}
