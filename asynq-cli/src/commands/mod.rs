//! The commands, one file for each thing that they are about.

pub(crate) mod ask;
pub(crate) mod config;
pub(crate) mod context;
pub(crate) mod cron;
pub(crate) mod dash;
pub(crate) mod doctor;
mod drain;
pub(crate) mod exporter;
pub(crate) mod group;
pub(crate) mod help;
pub(crate) mod lease;
pub(crate) mod login;
pub(crate) mod queue;
mod queue_list;
pub(crate) mod redis_info;
pub(crate) mod server;
pub(crate) mod stats;
pub(crate) mod tail;
pub(crate) mod task;
pub(crate) mod transfer;
pub(crate) mod unique;
pub(crate) mod wait;
pub(crate) mod web;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::app::App;
use crate::arguments::{Arguments, Command};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::watch;

/// Runs a command.
pub(crate) async fn run(arguments: Arguments, stop: Arc<AtomicBool>) -> Result<(), Failure> {
    let Arguments { command, connection, output } = arguments;
    let printer = output.printer();
    if output.watch.is_some() && !command.only_looks() {
        return Err(Failure::usage("--watch goes with commands that only look at what is there"));
    }
    match command {
        Command::Help(command) => return command.run(&printer),
        Command::Version => return printer.line(concat!("asynq ", env!("CARGO_PKG_VERSION"))),
        Command::Man(command) => return command.run(&printer),
        Command::Completions(command) => return command.run(&printer),
        Command::Context(command) => return command.run(&connection, &printer),
        Command::Web(web) if web.secret.is_some() => return web.make_secret(),
        _ => {}
    }
    let settings = Settings::gather(&connection)?;
    let command = match command {
        Command::Config(command) => return command.run(&settings, &printer),
        Command::Exporter(command) => return command.run(&settings).await,
        Command::Dash(command) => Command::Dash(command.prepared(&settings)?),
        Command::Web(command) => return command.run(&settings).await,
        command => command,
    };
    let app = App::connect(&settings, printer, stop).await?;
    let result = match output.watch {
        Some(every) => watch::repeat(&app, every, async |app| once(command.clone(), app).await).await,
        None => once(command, &app).await,
    };
    match result {
        Err(failure) if failure.names_unknown_queue() => {
            Err(failure.with_queues(&app.inspector.queues().await.unwrap_or_default()))
        }
        result => result,
    }
}

/// Runs a command that needs Redis.
async fn once(command: Command, app: &App) -> Result<(), Failure> {
    match command {
        Command::Stats(command) => command.run(app).await,
        Command::Queue(command) => command.run(app).await,
        Command::Task(command) => command.run(app).await,
        Command::Group(command) => command.run(app).await,
        Command::Server(command) => command.run(app).await,
        Command::Cron(command) => command.run(app).await,
        Command::Redis(command) => command.run(app).await,
        Command::Dash(command) => command.run(app).await,
        Command::Doctor(command) => command.run(app).await,
        Command::Export(command) => command.run(app).await,
        Command::Import(command) => command.run(app).await,
        Command::Lease(command) => command.run(app).await,
        Command::Unique(command) => command.run(app).await,
        Command::Tail(command) => command.run(app).await,
        Command::Wait(command) => command.run(app).await,
        Command::Config(_)
        | Command::Exporter(_)
        | Command::Web(_)
        | Command::Context(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Help(_)
        | Command::Version => Ok(()),
    }
}

/// The queues that are named, or else all.
pub(crate) async fn named_or_all(app: &App, names: Vec<String>) -> Result<Vec<String>, Failure> {
    if !names.is_empty() {
        return Ok(names);
    }
    Ok(app.inspector.queues().await?.iter().map(ToString::to_string).collect())
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
