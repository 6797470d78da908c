//! What the runner is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// How often everything is measured, unless something else is said.
const ROUNDS: usize = 5;

/// The runner's command line.
#[derive(Debug)]
pub(crate) struct Options {
    /// With few tasks.
    pub(crate) quick: bool,
    /// How often everything is measured.
    pub(crate) rounds: usize,
    /// After how long no further measurement begins.
    pub(crate) limit: Option<Duration>,
    /// Only rows with this text in their names, or one of several, between commas.
    pub(crate) only: Option<String>,
    /// Nobody but Go's beside ours.
    pub(crate) only_both: bool,
    /// Whether results are written to files.
    pub(crate) write: bool,
    /// Another build of the program that is our side.
    pub(crate) ours: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            quick: false,
            rounds: 0,
            limit: None,
            only: None,
            only_both: false,
            write: false,
            ours: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--write" => options.write = true,
                "--go" => options.only_both = true,
                "--only" => options.only = Some(value()?.clone()),
                "--rounds" => {
                    options.rounds = value()?.parse().context("--rounds is a number")?;
                    ensure!(options.rounds > 0, "--rounds is at least 1");
                }
                "--minutes" => {
                    let minutes: u32 = value()?.parse().context("--minutes is a number")?;
                    options.limit = Some(Duration::from_secs(60) * minutes);
                }
                "--ours" => {
                    let program = value()?;
                    let path =
                        std::fs::canonicalize(program).with_context(|| format!("the program {program}"))?;
                    options.ours = Some(path);
                }
                other => bail!("unexpected argument `{other}`; see `cargo xtask bench --help`"),
            }
        }
        if options.rounds == 0 {
            options.rounds = if options.quick { 1 } else { ROUNDS };
        }
        // What is not all of it, or not all of its tasks, is not the record.
        options.write = options.write || (!options.quick && options.only.is_none());
        Ok(options)
    }

    /// Whether a row is wanted.
    pub(crate) fn is_asked(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.split(',').any(|part| name.contains(part)))
    }
}
