//! `cargo xtask soak`: the fault tests in their long form, until time is over.

use anyhow::{Context, Result, bail};

use super::Command;
use crate::packages::{self, REDIS};
use crate::process::{Process, cargo};

/// See [`HELP`].
pub(crate) const SOAK: Command = Command { help: HELP, run };

const HELP: &str = "\
Lets everything break under load until time is over, and accounts for every task.

Usage: cargo xtask soak [--minutes N] [--seed N]

  --minutes N  For how long; 10 unless given. A scenario that has begun runs to its end: up to 3 minutes more
  --seed N     The first round's; each round has the next one. Another one each time unless given

The scenarios are those of tests/faults, with the timeouts that programs have and outages longer than they are.
Prints the audit of each as a table; fails if a task was lost or work did not go on.
";

fn run(arguments: &[String]) -> Result<()> {
    packages::ensure(&[&REDIS])?;
    let mut soak = faults("soak::soak");
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let name = match argument.as_str() {
            "--minutes" => "ASYNQ_SOAK_MINUTES",
            "--seed" => "ASYNQ_SOAK_SEED",
            other => bail!("unexpected argument `{other}`; see `cargo xtask soak --help`"),
        };
        let value = arguments.next().with_context(|| format!("{argument} needs a number"))?;
        let number: u64 = value.parse().with_context(|| format!("`{value}` is not a number"))?;
        soak = soak.env(name, number.to_string());
    }
    soak.run()
}

/// One of the fault tests that are not part of `cargo test`, for they take long.
pub(super) fn faults(test: &str) -> Process {
    cargo(["test", "--locked", "--package", "asynq", "--all-features", "--test", "faults", "--"]).args([
        "--ignored",
        "--exact",
        test,
        "--nocapture",
    ])
}
