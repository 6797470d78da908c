//! `cargo xtask tidy`: the house rules that no other tool knows.

use anyhow::{Result, ensure};

use super::Command;
use super::command::no_arguments;
use crate::tidy::{CHECKS, File};

/// See [`HELP`].
pub(crate) const TIDY: Command = Command { help: HELP, run };

const HELP: &str = "\
The house rules that no other tool knows, on every file that git tracks or would add.

Usage: cargo xtask tidy

  layers     which module may know which; Redis only behind the broker
  lua        every script's header names the keys and arguments it uses
  docs       every source file opens with what it is for
  paths      nothing refers to the machine it was written on
  installs   what is installed on a machine is named in xtask alone
  defects    each defect of Go that docs/from-go.md lists has the test that it names
";

fn run(arguments: &[String]) -> Result<()> {
    no_arguments(arguments)?;
    run_tidy()
}

/// Runs every check and prints what it finds.
pub(crate) fn run_tidy() -> Result<()> {
    let files = File::all()?;
    let mut count = 0;
    for (name, check) in CHECKS {
        let findings = check(&files);
        for finding in &findings {
            println!("{finding} [{name}]");
        }
        count += findings.len();
    }
    ensure!(count == 0, "tidy found {count} {}", if count == 1 { "fault" } else { "faults" });
    eprintln!("tidy: {} files, nothing to say", files.len());
    Ok(())
}
