//! What the runner is asked to do.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The runner's command line and environment.
#[derive(Debug)]
pub(crate) struct Options {
    /// One round with few tasks.
    pub(crate) quick: bool,
    /// Only rows with this text in their names.
    pub(crate) only: Option<String>,
    /// Whether results are written to files.
    pub(crate) write: bool,
    /// The program that measures our side; this one unless another build is given.
    pub(crate) ours: PathBuf,
    /// The program that measures Go's side.
    pub(crate) go: PathBuf,
}

impl Options {
    /// Reads the arguments, and where Go's program is.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let (mut quick, mut only, mut write, mut ours) = (false, None, false, None);
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--quick" => quick = true,
                "--write" => write = true,
                "--only" => only = Some(value()?.clone()),
                "--ours" => ours = Some(PathBuf::from(value()?)),
                other => bail!("unexpected argument `{other}`; see `cargo xtask bench --help`"),
            }
        }
        let ours = match ours {
            Some(program) => std::fs::canonicalize(&program)
                .with_context(|| format!("the program {}", program.display()))?,
            None => std::env::current_exe().context("where this program is")?,
        };
        let go = std::env::var_os("ASYNQ_BENCH_GO")
            .context("ASYNQ_BENCH_GO does not name Go's program: start this by `cargo xtask bench`")?;
        Ok(Self { quick, only, write: write || !quick, ours, go: go.into() })
    }
}
