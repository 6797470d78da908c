//! `asynq server`: servers and what they run.

use asynq_core::inspector::ServerStatus;
use clap::{Args, Subcommand};

use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Column, Listing};

/// Servers.
#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// The servers that live.
    #[command(visible_alias = "ls")]
    List,
    /// The tasks that servers run at this moment.
    Workers(Workers),
}

#[derive(Args, Debug)]
pub(crate) struct Workers {
    /// Only those of the server with this ID, or of this host.
    server: Option<String>,
}

impl Server {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let mut servers = app.inspector.servers().await?;
        servers.sort_by(|a, b| (&a.host, a.pid, &a.id).cmp(&(&b.host, b.pid, &b.id)));
        match self {
            Self::List => app.printer.listing(&list(&servers, app.now())),
            Self::Workers(Workers { server }) => {
                if let Some(name) = &server {
                    servers.retain(|status| status.id == *name || status.host == *name);
                    if servers.is_empty() {
                        return Err(Failure::not_found(format!("no server has the ID or host `{name}`")));
                    }
                }
                app.printer.listing(&workers(&servers, app.now()))
            }
        }
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
        ],
        "no servers run",
    );
    for server in servers {
        let mut queues: Vec<_> = server.queues.iter().collect();
        queues.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let text =
            queues.iter().map(|(name, priority)| format!("{name}:{priority}")).collect::<Vec<_>>().join(" ");
        let value = serde_json::to_value(&server.queues).unwrap_or_default();
        listing.push([
            Cell::text(&server.id),
            Cell::text(&server.host),
            Cell::number(server.pid),
            Cell::text(&server.status),
            Cell::new(format!("{}/{}", server.running.len(), server.concurrency), server.running.len()),
            Cell::number(server.concurrency),
            Cell::new(crate::human::printable(&text), value),
            Cell::flag(server.strict_priority),
            Cell::relative(server.started, now),
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
