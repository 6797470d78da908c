//! [`Command`]: what `cargo xtask` can do.

use anyhow::{Result, ensure};

/// One thing that `cargo xtask` can do.
pub(crate) struct Command {
    /// What `--help` prints.
    pub(crate) help: &'static str,
    /// Does it, with the arguments behind the command's name.
    pub(crate) run: fn(&[String]) -> Result<()>,
}

/// For commands that take no arguments.
pub(crate) fn no_arguments(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), "unexpected argument `{}`", arguments.join(" "));
    Ok(())
}
