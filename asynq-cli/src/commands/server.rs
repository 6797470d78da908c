//! `asynq server`: servers and what they run.

use asynq_core::inspector::ServerStatus;
use clap::{Args, Subcommand};

use crate::app::App;
use crate::complete;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing, Record};

/// Servers.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Server {
    /// The servers that live.
    #[command(visible_alias = "ls")]
    List,
    /// All about a server, and the tasks that it runs at this moment.
    Inspect(Inspect),
    /// The tasks that servers run at this moment.
    Workers(Workers),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Inspect {
    /// ID of the server, or its host.
    #[arg(value_name = "SERVER", add = complete::servers())]
    server: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Workers {
    /// Only those of the server with this ID, or of this host.
    #[arg(value_name = "SERVER", add = complete::servers())]
    server: Option<String>,
}

impl Server {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let mut servers = app.inspector.servers().await?;
        servers.sort_by(|a, b| (&a.host, a.pid, &a.id).cmp(&(&b.host, b.pid, &b.id)));
        match self {
            Self::List => app.printer.listing(&list(&servers, app.now())),
            Self::Inspect(Inspect { server }) => {
                let servers = named(servers, &server)?;
                let records: Vec<_> = servers.iter().map(|server| record(server, app.now())).collect();
                app.printer.records(&records)
            }
            Self::Workers(Workers { server }) => {
                if let Some(name) = &server {
                    servers = named(servers, name)?;
                }
                app.printer.listing(&workers(&servers, app.now()))
            }
        }
    }
}

fn named(mut servers: Vec<ServerStatus>, name: &str) -> Result<Vec<ServerStatus>, Failure> {
    servers.retain(|status| status.id == name || status.host == name);
    if servers.is_empty() {
        return Err(Failure::not_found(format!(
            "no server has the ID or host `{name}`; `asynq server list -o wide` has all"
        )));
    }
    Ok(servers)
}

/// Queues and their priorities, the highest first.
fn queues(server: &ServerStatus) -> Cell {
    let mut queues: Vec<_> = server.queues.iter().collect();
    queues.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let text = queues.iter().map(|(name, priority)| format!("{name}:{priority}")).collect::<Vec<_>>();
    let value = serde_json::to_value(&server.queues).unwrap_or_default();
    Cell::new(crate::human::printable(&text.join(" ")), value)
}

/// Which version of ours it runs.
fn version(server: &ServerStatus) -> Cell {
    Cell::text_or_none(server.version.as_deref().unwrap_or_default())
}

fn record(server: &ServerStatus, now: jiff::Timestamp) -> Record {
    let running = workers(std::slice::from_ref(server), now);
    let lines = server.running.iter().map(|task| {
        let started = task.started.map_or_else(String::new, |at| crate::human::relative(at, now));
        let text = format!("{} {} in queue {}, started {started}", task.id, task.task_type, task.queue);
        crate::human::printable(&text)
    });
    let running = Cell::new(lines.collect::<Vec<_>>().join("\n"), running.values());
    let record = Record::new()
        .field("id", "ID", Cell::text(&server.id))
        .field("host", "Host", Cell::text(&server.host))
        .field("pid", "PID", Cell::number(server.pid))
        .field("state", "State", Cell::text(&server.status))
        .field("started_at", "Started", Cell::moment(server.started, now))
        .field("concurrency", "Concurrency", Cell::number(server.concurrency))
        .field("queues", "Queues", queues(server))
        .field("strict_priority", "Strict", Cell::flag(server.strict_priority))
        .field("version", "Version", version(server))
        .field("active_workers", "Active Workers", Cell::count(server.running.len()));
    if server.running.is_empty() {
        record.field("running", "Running", Cell { text: "-".to_owned(), ..running })
    } else {
        record.block("running", "Running", running)
    }
}

fn list(servers: &[ServerStatus], now: jiff::Timestamp) -> Listing {
    let mut listing = Listing::new(
        &[
            Column::wide("id", "ID"),
            Column::new("host", "Host"),
            Column::new("pid", "PID"),
            Column::new("state", "State"),
            Column::new("active_workers", "Active Workers"),
            Column::wide("concurrency", "Concurrency"),
            Column::new("queues", "Queues"),
            Column::wide("strict_priority", "Strict"),
            Column::new("started_at", "Started"),
            Column::wide("version", "Version"),
        ],
        "no servers run",
    );
    for server in servers {
        listing.push([
            Cell::text(&server.id),
            Cell::text(&server.host),
            Cell::number(server.pid),
            Cell::text(&server.status),
            Cell::new(format!("{}/{}", server.running.len(), server.concurrency), server.running.len()),
            Cell::number(server.concurrency),
            queues(server),
            Cell::flag(server.strict_priority),
            Cell::relative(server.started, now),
            version(server),
        ]);
    }
    listing
}

fn workers(servers: &[ServerStatus], now: jiff::Timestamp) -> Listing {
    let mut listing = Listing::new(
        &[
            Column::new("task_id", "Task"),
            Column::new("type", "Type"),
            Column::new("queue", "Queue"),
            Column::new("started_at", "Started"),
            Column::new("deadline", "Must end"),
            Column::new("host", "Host"),
            Column::new("pid", "PID"),
            Column::wide("server_id", "Server"),
            Column::new("payload", "Payload"),
        ],
        "no tasks run",
    );
    for server in servers {
        for task in &server.running {
            listing.push([
                Cell::text(task.id.as_str()),
                Cell::text(task.task_type.as_str()),
                Cell::text(task.queue.as_str()),
                Cell::relative(task.started, now),
                Cell::relative(task.deadline, now),
                Cell::text(&server.host),
                Cell::number(server.pid),
                Cell::text(&server.id),
                Cell::bytes(&task.payload),
            ]);
        }
    }
    listing
}
