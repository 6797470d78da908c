//! The commands, one file for each thing that they are about.

pub(crate) mod config;
pub(crate) mod cron;
pub(crate) mod dash;
pub(crate) mod group;
pub(crate) mod queue;
pub(crate) mod redis_info;
pub(crate) mod server;
pub(crate) mod stats;
pub(crate) mod task;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::app::App;
use crate::arguments::{Arguments, Command};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;

/// Runs a command.
pub(crate) async fn run(arguments: Arguments, stop: Arc<AtomicBool>) -> Result<(), Failure> {
    let settings = Settings::gather(&arguments.connection)?;
    let printer = arguments.output.printer();
    if let Command::Config(command) = arguments.command {
        return command.run(&settings, &printer);
    }
    if matches!(arguments.command, Command::Dash(_)) {
        dash::Dash::check()?;
    }
    let app = App::connect(&settings, printer, stop).await?;
    match arguments.command {
        Command::Config(_) => Ok(()),
        Command::Stats(command) => command.run(&app).await,
        Command::Queue(command) => command.run(&app).await,
        Command::Task(command) => command.run(&app).await,
        Command::Group(command) => command.run(&app).await,
        Command::Server(command) => command.run(&app).await,
        Command::Cron(command) => command.run(&app).await,
        Command::Redis(command) => command.run(&app).await,
        Command::Dash(command) => command.run(&app).await,
    }
}

/// Does the same to each of several things, going on where one fails; what failed is told at once, and the first
/// failure decides the exit code.
pub(crate) async fn for_each<T>(
    items: &[String],
    mut act: impl AsyncFnMut(&str) -> Result<T, Failure>,
) -> (Vec<T>, Result<(), Failure>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for item in items {
        match act(item).await {
            Ok(outcome) => done.push(outcome),
            Err(failure) if failure.kind() == Kind::Unreachable => return (done, Err(failure)),
            Err(failure) => failed.push(failure),
        }
    }
    let result = match failed.len() {
        0 => Ok(()),
        1 => failed.pop().map_or(Ok(()), Err),
        count => {
            for failure in &failed {
                eprintln!("error: {}", failure.message());
            }
            let kind = failed.first().map_or(Kind::Failed, Failure::kind);
            Err(Failure::new(kind, format!("{count} of {} failed", items.len())))
        }
    };
    (done, result)
}
