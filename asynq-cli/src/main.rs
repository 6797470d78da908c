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

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use crate::app::App;
use crate::arguments::Arguments;

fn main() -> ExitCode {
    // Answers a shell that asks how a line can go on, and ends there; otherwise it does nothing.
    CompleteEnv::with_factory(Arguments::command).complete();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { failure::USAGE } else { 0 };
            // Where even this cannot be written, the exit code has to do.
            drop(error.print());
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
