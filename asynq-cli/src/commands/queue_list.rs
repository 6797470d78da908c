//! `asynq queue list`: the queues and, in a cluster, where each of them is.

use asynq_core::Error;
use asynq_core::task::QueueName;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{queue, stats};
use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Column, Format, Listing, Printer};

/// Where in a cluster a queue is: its slot, and the nodes that have it, the master first.
const SEAT: [Column; 2] =
    [Column::new("cluster_key_slot", "Cluster KeySlot"), Column::new("cluster_nodes", "Cluster Nodes")];

/// How many queues are asked for at a time.
const AT_ONCE: usize = 32;

/// Prints the queues: their names, or all that is known of them in formats for programs.
pub(super) async fn run(app: &App) -> Result<(), Failure> {
    let printer = &app.printer;
    if printer.format == Format::Table && printer.columns.is_empty() {
        let queues = app.inspector.queues().await?;
        let mut names = Listing::new(&[Column::new("queue", "Queue")], queue::NONE);
        for name in &queues {
            names.push([Cell::text(name.as_str())]);
        }
        let is_cluster = !printer.ids && seat_all(app, &queues, &mut names).await?;
        // As Go: names alone, to be piped on.
        return Printer { headings: printer.headings && is_cluster, ..printer.clone() }.listing(&names);
    }
    let queues = stats::queues(app).await?;
    let names: Vec<QueueName> = queues.iter().map(|info| info.queue.clone()).collect();
    let mut listing = queue::table(&queues);
    seat_all(app, &names, &mut listing).await?;
    printer.listing(&listing)
}

/// Adds to each row where its queue is; `false`, and no columns, where the server is no cluster.
async fn seat_all(app: &App, queues: &[QueueName], listing: &mut Listing) -> Result<bool, Failure> {
    let Some(first) = queues.first() else { return Ok(false) };
    if let Err(Error::NotACluster) = app.inspector.cluster_key_slot(first).await {
        return Ok(false);
    }
    let seats = stream::iter(queues).map(|queue| seat(app, queue)).buffered(AT_ONCE);
    let seats: Vec<[Cell; 2]> = seats.try_collect().await?;
    listing.columns.extend(SEAT);
    for (row, seat) in listing.rows.iter_mut().zip(seats) {
        row.extend(seat);
    }
    Ok(true)
}

async fn seat(app: &App, queue: &QueueName) -> Result<[Cell; 2], Failure> {
    let slot = app.inspector.cluster_key_slot(queue).await?;
    let nodes = app.inspector.cluster_nodes(queue).await?;
    let nodes: Vec<String> = nodes.into_iter().map(|node| node.address).collect();
    Ok([Cell::number(slot), Cell::new(nodes.join(", "), nodes)])
}
