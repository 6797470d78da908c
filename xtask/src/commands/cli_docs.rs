//! `cargo xtask cli-docs`: docs/cli.md, from the definitions of the commands.

use anyhow::{Context, Result, bail, ensure};

use super::Command;
use crate::places::root;
use crate::process::cargo;

/// See [`HELP`].
pub(crate) const CLI_DOCS: Command = Command { help: HELP, run };

const HELP: &str = "\
Writes docs/cli.md, the reference of the command line, from the definitions of its commands.

Usage: cargo xtask cli-docs [--check]

  --check   Write nothing, and fail unless the file is what would be written
";

/// Where it is written.
const FILE: &str = "docs/cli.md";

fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => Ok(std::fs::write(root().join(FILE), reference()?)?),
        [check] if check == "--check" => check_cli_docs(),
        _ => bail!("unexpected arguments `{}`", arguments.join(" ")),
    }
}

/// Fails unless the file is what would be written.
pub(crate) fn check_cli_docs() -> Result<()> {
    let written = std::fs::read_to_string(root().join(FILE)).context(FILE)?;
    ensure!(written == reference()?, "{FILE} is not what the commands say: run `cargo xtask cli-docs`");
    Ok(())
}

fn reference() -> Result<String> {
    cargo(["run", "--locked", "--quiet", "-p", "asynq-cli", "--", "help", "--markdown"]).read()
}
