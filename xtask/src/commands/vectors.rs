//! `cargo xtask vectors`: what Go wrote, read and written again by us.

use anyhow::{Context, Result, bail};

use super::Command;
use crate::packages::{self, REDIS};
use crate::process::cargo;

/// See [`HELP`].
pub(crate) const VECTORS: Command = Command { help: HELP, run };

const HELP: &str = "\
Runs wire-format vectors, recorded from Go asynq, against our code.

Usage: cargo xtask vectors DIR
";

fn run(arguments: &[String]) -> Result<()> {
    let [directory] = arguments else {
        bail!("one folder of vectors is needed: cargo xtask vectors DIR");
    };
    // The runner is started in the workspace's root, wherever we were.
    let directory =
        std::fs::canonicalize(directory).with_context(|| format!("the folder of vectors `{directory}`"))?;
    packages::ensure(&[&REDIS])?;
    cargo(["run", "--quiet", "--locked", "--package", "asynq-testkit", "--bin", "vectors", "--"])
        .arg(directory)
        .run()
}
