//! `asynq`: queues, tasks, servers and schedules on Redis, looked at and changed from a terminal.
//!
//! ```text
//! main ─► arguments (clap) ─► settings (flags, environment, file) ─► commands/ ─► output/ (table, JSON, …)
//!                                                   failure (exit codes)  ◄┘
//! ```

mod app;
mod arguments;
mod commands;
mod complete;
mod editor;
mod failure;
mod human;
mod lines;
mod output;
mod settings;
mod suggest;
mod until_told;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, ValueEnum};
use clap_complete::CompleteEnv;

use crate::app::App;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Format;

fn main() -> ExitCode {
    // Answers a shell that asks how a line can go on, and ends there; otherwise it does nothing.
    CompleteEnv::with_factory(Arguments::command).complete();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { failure::USAGE } else { 0 };
            if error.use_stderr() && asks_for_json() {
                Failure::from(error).report(true);
            } else {
                // Where even this cannot be written, the exit code has to do.
                drop(error.print());
            }
            return ExitCode::from(code);
        }
    };
    let json = arguments.output.format.is_json();
    match App::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            ExitCode::from(failure.code())
        }
    }
}

/// Whether the command line asks for JSON, as far as that can be told of one that is wrong.
fn asks_for_json() -> bool {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let behind = words
        .windows(2)
        .filter(|pair| matches!(pair, [flag, _] if ["-o", "--output"].contains(&flag.as_str())));
    let behind = behind.filter_map(|pair| pair.last().map(String::as_str));
    let within = words.iter().filter_map(|word| {
        let value = word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o"))?;
        Some(value.strip_prefix('=').unwrap_or(value))
    });
    behind.chain(within).any(|format| Format::from_str(format, false).is_ok_and(Format::is_json))
}
