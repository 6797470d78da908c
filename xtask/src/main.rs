//! The workspace's chores; `cargo xtask --help` lists them.
//!
//! One file for each command in [`commands`], one for each rule of the house in [`tidy`]. What this machine must
//! have is named in [`packages`] and nowhere else.

mod browser;
mod commands;
mod contenders;
mod go;
mod packages;
mod places;
mod process;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
The workspace's chores.

Usage: cargo xtask COMMAND [ARGUMENTS]

Commands:
  ci                   Everything a change must pass: format, lints, docs, tidy, tests
  test [-- ARGS]       Install what is missing, build the Go peer, run every test
  tidy                 The house rules that no other tool knows
  vectors DIR          Run the wire-format vectors in DIR
  cli-docs [--check]   Write docs/cli.md from the definitions of the commands
  bench [OPTIONS]      Measure asynq for Rust beside Go's on one Redis
  budget [--check]     Count the instructions and allocations of a task's way; bench/BUDGET.md
  compile-time [OPTION] What `#[job]` costs the compiler; bench/COMPILE.md
  reliability [OPTION] Put asynq, Go's and others through the same faults; docs/reliability.md
  screens              Write anew what the dashboard and the Web UI look like
  soak [OPTIONS]       Let everything break under load, and account for every task
  web-load             How quick the Web UI is where there is much of everything

`cargo xtask COMMAND --help` says more about one.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        bail!("no command given");
    };
    let command = match command.as_str() {
        "ci" => commands::CI,
        "test" => commands::TEST,
        "tidy" => commands::TIDY,
        "vectors" => commands::VECTORS,
        "cli-docs" => commands::CLI_DOCS,
        "bench" => commands::BENCH,
        "budget" => commands::BUDGET,
        "compile-time" => commands::COMPILE_TIME,
        "reliability" => commands::RELIABILITY,
        "screens" => commands::SCREENS,
        "soak" => commands::SOAK,
        "web-load" => commands::WEB_LOAD,
        "--help" | "-h" | "help" => {
            print!("{HELP}");
            return Ok(());
        }
        other => bail!("there is no command `{other}`; `cargo xtask --help` lists them"),
    };
    // What follows `--` is not for us.
    if rest
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "--help" || argument == "-h")
    {
        print!("{}", command.help);
        return Ok(());
    }
    (command.run)(rest)
}
