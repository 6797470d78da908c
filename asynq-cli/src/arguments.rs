//! [`Arguments`]: the command line as a whole.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    config, context, cron, dash, doctor, exporter, group, help, lease, queue, redis_info, server, stats,
    tail, task, transfer, unique, wait, web,
};
use crate::output::{Color, Format, Printer, Sink};
use crate::settings::ConnectionArguments;
use crate::watch;

/// Looks at the queues, tasks, servers and schedules of asynq on Redis, and changes them.
#[derive(Debug, Parser)]
#[command(name = "asynq", version, disable_help_subcommand = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found, 4 its state does not \
                        allow it, 5 Redis cannot be reached, 6 not confirmed, 130 interrupted."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// How to print.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// How to print data.
    #[arg(short = 'o', long = "output", global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Only these columns, in this order: their names in JSON, separated by commas.
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAMES")]
    columns: Vec<String>,
    /// No headings.
    #[arg(long, global = true)]
    no_headers: bool,
    /// Only the first column: IDs or names, one in each line.
    #[arg(id = "only_ids", long = "ids", global = true)]
    ids: bool,
    /// Do not cut cells to the width of the terminal.
    #[arg(long, global = true)]
    full: bool,
    /// When to use colors and bold type.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// Print it again and again, every two seconds or as often as is said; Ctrl-C ends it.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s",
        value_parser = watch::interval
    )]
    pub(crate) watch: Option<Duration>,
}

impl OutputArguments {
    pub(crate) fn printer(&self) -> Printer {
        Printer {
            format: self.format,
            columns: self.columns.clone(),
            headings: !self.no_headers,
            ids: self.ids,
            full: self.full,
            bold: Printer::bold(self.color),
            sink: Sink::default(),
        }
    }
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// How many tasks there are, and how Redis is.
    Stats(stats::Stats),
    /// Queues: list, inspect, history, pause, resume, remove.
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Tasks: list, find, inspect, enqueue, run, archive, delete, cancel, move, copy, edit.
    #[command(subcommand)]
    Task(Box<task::Task>),
    /// Groups of tasks that wait to be aggregated.
    #[command(subcommand)]
    Group(group::Group),
    /// Servers and what they run.
    #[command(subcommand)]
    Server(server::Server),
    /// Schedules and what they enqueued.
    #[command(subcommand)]
    Cron(cron::Cron),
    /// Leases of tasks that are being run.
    #[command(subcommand)]
    Lease(lease::Lease),
    /// Uniqueness locks: list, release.
    #[command(subcommand)]
    Unique(unique::Unique),
    /// What is wrong in Redis, explained and put right.
    Doctor(doctor::Doctor),
    /// Writes tasks as lines of JSON.
    Export(transfer::Export),
    /// Stores the tasks of an export.
    Import(transfer::Import),
    /// What Redis tells about itself.
    #[command(subcommand)]
    Redis(redis_info::Redis),
    /// The dashboard in the terminal: looks at everything, live, and changes it.
    Dash(dash::Dash),
    /// Serves the Web UI.
    #[command(visible_alias = "serve")]
    Web(Box<web::Web>),
    /// Answers Prometheus: metrics of queues, servers and schedules, over HTTP, until it is told to end.
    Exporter(exporter::Exporter),
    /// Tells what becomes of tasks, a line for each change; with `-o jsonl` as JSON.
    ///
    /// It looks at them every second: what comes and goes between two looks is not seen, and of several changes the last
    /// one is told. Ctrl-C ends it.
    Tail(tail::Tail),
    /// Waits until a task has come to a state, for scripts.
    ///
    /// Exit codes: 0 it has, 1 not within the time, 3 it is not there, 4 it ended in another state.
    Wait(wait::Wait),
    /// How this tool is configured.
    #[command(subcommand)]
    Config(config::Config),
    /// Contexts: settings under a name, in the configuration file.
    #[command(subcommand)]
    Context(context::Context),
    /// Writes what a shell needs to complete lines, with the names of queues, types and contexts as they are.
    ///
    /// For bash, `source <(asynq completions bash)`; for fish, `asynq completions fish | source`.
    Completions(help::Completions),
    /// Writes pages for `man`.
    Man(help::Man),
    /// What there is, or how a command is used.
    Help(help::Help),
    /// The version, as `--version` tells it; Go's tool has this too.
    #[command(hide = true)]
    Version,
}

impl Command {
    /// Whether it says how far it came when it is stopped.
    pub(crate) fn reports_when_stopped(&self) -> bool {
        match self {
            Self::Task(task) => task.changes_many(),
            Self::Export(_) | Self::Import(_) => true,
            _ => false,
        }
    }

    /// Whether it runs until it is told to end, for which it listens itself.
    pub(crate) fn serves(&self) -> bool {
        matches!(self, Self::Exporter(_) | Self::Web(_))
    }

    /// Whether it prints what is there and changes nothing, so that it can be done again and again.
    pub(crate) fn only_looks(&self) -> bool {
        match self {
            Self::Stats(_)
            | Self::Group(_)
            | Self::Server(_)
            | Self::Cron(_)
            | Self::Lease(_)
            | Self::Redis(_)
            | Self::Unique(unique::Unique::List(_)) => true,
            Self::Queue(queue) => queue.only_looks(),
            Self::Task(task) => task.only_looks(),
            _ => false,
        }
    }
}
