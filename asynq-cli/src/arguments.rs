//! [`Arguments`]: the command line as a whole.

use clap::{Args, Parser, Subcommand};

use crate::commands::{config, cron, dash, group, queue, redis_info, server, stats, task};
use crate::output::{Color, Format, Printer};
use crate::settings::ConnectionArguments;

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
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// How many tasks there are, and how Redis is.
    Stats(stats::Stats),
    /// Queues: list, inspect, history, pause, resume, remove.
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Tasks: list, find, inspect, enqueue, run, archive, delete, cancel, move, edit.
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
    /// What Redis tells about itself.
    #[command(subcommand)]
    Redis(redis_info::Redis),
    /// The dashboard in the terminal: looks at everything, live, and changes it.
    Dash(dash::Dash),
    /// How this tool is configured.
    #[command(subcommand)]
    Config(config::Config),
}

impl Command {
    /// Whether it says how far it came when it is stopped.
    pub(crate) fn reports_when_stopped(&self) -> bool {
        matches!(self, Self::Task(task) if task.changes_many())
    }
}
