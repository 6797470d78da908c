//! `asynq stats`: all queues together, and Redis.

use asynq_core::inspector::{QueueInfo, StoreInfo};
use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::failure::Failure;
use crate::human;
use crate::output::{Cell, Column, Format, Listing};

/// How many tasks there are, and how Redis is.
#[derive(Args, Clone, Debug)]
pub(crate) struct Stats {
    /// Go's form of JSON, in one line; `-o json` has ours.
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let queues = queues(app).await?;
        let redis = app.inspector.store_info().await?;
        if self.json {
            return app.printer.line(&go_json(&queues, &redis, app.now()).to_string());
        }
        if !app.printer.format.is_table() {
            return document(app, &queues, &redis);
        }
        let mut states = Listing::new(&STATES.map(|(name, _)| Column::new(name, name)), "");
        states.push(STATES.map(|(_, count)| Cell::count(queues.iter().map(count).sum())));
        app.printer.say("Tasks by state")?;
        app.printer.listing(&states)?;

        app.printer.say("\nTasks by queue")?;
        let mut sizes = Listing::new(
            &[Column::new("queue", "queue"), Column::new("size", "size"), Column::new("paused", "paused")],
            "no queues",
        );
        for queue in &queues {
            sizes.push([
                Cell::text(queue.queue.as_str()),
                Cell::count(queue.size()),
                Cell::flag(queue.is_paused()),
            ]);
        }
        app.printer.listing(&sizes)?;

        let (processed, failed) = today(&queues);
        app.printer.say(&format!("\nToday, {} UTC", app.now().strftime("%Y-%m-%d")))?;
        let mut daily = Listing::new(
            &[
                Column::new("processed", "processed"),
                Column::new("failed", "failed"),
                Column::new("error_rate", "error rate"),
            ],
            "",
        );
        daily.push([
            Cell::total(processed),
            Cell::total(failed),
            Cell::rate(human::error_rate(failed, processed)),
        ]);
        app.printer.listing(&daily)?;

        app.printer.say("\nRedis")?;
        let told = |name: &str| redis.get(name).map_or_else(Cell::none, |value| Cell::text(value));
        let mut server = Listing::new(
            &[
                Column::new("version", "version"),
                Column::new("uptime", "uptime (days)"),
                Column::new("connections", "connections"),
                Column::new("memory", "memory usage"),
                Column::new("peak_memory", "peak memory usage"),
            ],
            "",
        );
        server.push([
            told("redis_version"),
            told("uptime_in_days"),
            told("connected_clients"),
            told("used_memory_human"),
            told("used_memory_peak_human"),
        ]);
        app.printer.listing(&server)?;
        if redis.contains_key("cluster_state") {
            app.printer.say("\nCluster")?;
            let mut cluster = Listing::new(
                &[
                    Column::new("state", "state"),
                    Column::new("known_nodes", "known nodes"),
                    Column::new("size", "cluster size"),
                ],
                "",
            );
            cluster.push([told("cluster_state"), told("cluster_known_nodes"), told("cluster_size")]);
            app.printer.listing(&cluster)?;
        }
        Ok(())
    }
}

/// Reads a number off a queue.
type Count = fn(&QueueInfo) -> usize;

/// How many tasks of each state a queue holds.
const STATES: [(&str, Count); 7] = [
    ("active", |queue| queue.active),
    ("pending", |queue| queue.pending),
    ("aggregating", |queue| queue.aggregating),
    ("scheduled", |queue| queue.scheduled),
    ("retry", |queue| queue.retry),
    ("archived", |queue| queue.archived),
    ("completed", |queue| queue.completed),
];

/// All queues, as they stand.
pub(crate) async fn queues(app: &App) -> Result<Vec<QueueInfo>, Failure> {
    let mut queues = Vec::new();
    for name in app.inspector.queues().await? {
        match app.inspector.queue_info(&name).await {
            Ok(queue) => queues.push(queue),
            // Removed since it was listed.
            Err(asynq_core::Error::QueueNotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(queues)
}

fn today(queues: &[QueueInfo]) -> (u64, u64) {
    (queues.iter().map(|queue| queue.processed).sum(), queues.iter().map(|queue| queue.failed).sum())
}

fn document(app: &App, queues: &[QueueInfo], redis: &StoreInfo) -> Result<(), Failure> {
    if app.printer.format == Format::Csv {
        return app.printer.listing(&super::queue::table(queues));
    }
    let mut value = totals(queues, "at", app.now());
    value.insert("queues".to_owned(), queues.iter().map(super::queue::object).collect());
    value.insert("redis".to_owned(), json!(redis));
    app.printer.document(&Value::Object(value))
}

/// What all queues hold together, by state, and what they did today; and when that was, under this name.
fn totals(queues: &[QueueInfo], time: &str, now: Timestamp) -> Map<String, Value> {
    let (processed, failed) = today(queues);
    let mut totals: Map<String, Value> = STATES
        .into_iter()
        .map(|(name, count)| (name.to_owned(), json!(queues.iter().map(count).sum::<usize>())))
        .collect();
    totals.insert("processed".to_owned(), json!(processed));
    totals.insert("failed".to_owned(), json!(failed));
    totals.insert(time.to_owned(), json!(human::rfc3339(now)));
    totals
}

/// What Go's `stats --json` prints; its names, units and capitals.
fn go_json(queues: &[QueueInfo], redis: &StoreInfo, now: Timestamp) -> Value {
    let one = |queue: &QueueInfo| {
        json!({
            "Queue": queue.queue.as_str(),
            "MemoryUsage": queue.memory_usage.unwrap_or(0),
            "Paused": queue.is_paused(),
            "Size": queue.size(),
            "Groups": queue.groups,
            "Pending": queue.pending,
            "Active": queue.active,
            "Scheduled": queue.scheduled,
            "Retry": queue.retry,
            "Archived": queue.archived,
            "Completed": queue.completed,
            "Aggregating": queue.aggregating,
            "Processed": queue.processed,
            "Failed": queue.failed,
            "ProcessedTotal": queue.processed_total,
            "FailedTotal": queue.failed_total,
            "Latency": u64::try_from(queue.latency.as_nanos()).unwrap_or(u64::MAX),
            "Timestamp": human::rfc3339(queue.at),
        })
    };
    let list = if queues.is_empty() { Value::Null } else { Value::Array(queues.iter().map(one).collect()) };
    json!({ "aggregate": totals(queues, "timestamp", now), "queues": list, "redis": redis })
}
