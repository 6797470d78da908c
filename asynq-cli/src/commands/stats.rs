//! `asynq stats`: all queues together, and Redis.

use asynq_core::inspector::QueueInfo;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::failure::Failure;
use crate::human;
use crate::output::{Cell, Column, Format, Listing};

/// How many tasks there are, and how Redis is.
#[derive(Args, Debug)]
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
            let line = go_json(&queues, &redis, app.now()).to_string();
            return app.printer.say(&line);
        }
        if !app.printer.format.is_table() {
            return document(app, &queues, &redis);
        }
        let total = |count: fn(&QueueInfo) -> usize| queues.iter().map(count).sum::<usize>();
        let mut states = Listing::new(
            &[
                Column::new("active", "active"),
                Column::new("pending", "pending"),
                Column::new("aggregating", "aggregating"),
                Column::new("scheduled", "scheduled"),
                Column::new("retry", "retry"),
                Column::new("archived", "archived"),
                Column::new("completed", "completed"),
            ],
            "",
        );
        states.push([
            Cell::count(total(|queue| queue.active)),
            Cell::count(total(|queue| queue.pending)),
            Cell::count(total(|queue| queue.aggregating)),
            Cell::count(total(|queue| queue.scheduled)),
            Cell::count(total(|queue| queue.retry)),
            Cell::count(total(|queue| queue.archived)),
            Cell::count(total(|queue| queue.completed)),
        ]);
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

type Info = std::collections::BTreeMap<String, String>;

fn document(app: &App, queues: &[QueueInfo], redis: &Info) -> Result<(), Failure> {
    if app.printer.format == Format::Csv {
        return app.printer.listing(&super::queue::table(queues));
    }
    let (processed, failed) = today(queues);
    let total = |count: fn(&QueueInfo) -> usize| queues.iter().map(count).sum::<usize>();
    let queues_json: Vec<Value> = queues.iter().map(super::queue::object).collect();
    let value = json!({
        "active": total(|queue| queue.active),
        "pending": total(|queue| queue.pending),
        "aggregating": total(|queue| queue.aggregating),
        "scheduled": total(|queue| queue.scheduled),
        "retry": total(|queue| queue.retry),
        "archived": total(|queue| queue.archived),
        "completed": total(|queue| queue.completed),
        "processed": processed,
        "failed": failed,
        "at": human::rfc3339(app.now()),
        "queues": queues_json,
        "redis": redis,
    });
    app.printer.document(&value)
}

/// What Go's `stats --json` prints; its names, units and capitals.
fn go_json(queues: &[QueueInfo], redis: &Info, now: jiff::Timestamp) -> Value {
    let total = |count: fn(&QueueInfo) -> usize| queues.iter().map(count).sum::<usize>();
    let (processed, failed) = today(queues);
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
    let redis: Map<String, Value> = redis.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "aggregate": {
            "active": total(|queue| queue.active),
            "pending": total(|queue| queue.pending),
            "aggregating": total(|queue| queue.aggregating),
            "scheduled": total(|queue| queue.scheduled),
            "retry": total(|queue| queue.retry),
            "archived": total(|queue| queue.archived),
            "completed": total(|queue| queue.completed),
            "processed": processed,
            "failed": failed,
            "timestamp": human::rfc3339(now),
        },
        "queues": list,
        "redis": redis,
    })
}
