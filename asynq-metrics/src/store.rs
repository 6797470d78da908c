//! [`Snapshot`]: what stands in the store → families. Pure, but for the reading.

use std::collections::BTreeMap;
use std::sync::Arc;

use asynq_core::inspector::{Inspector, QueueInfo, ScheduledEntry, ServerStatus};
use asynq_core::{Error, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::exposition::{Family, Kind, Value};

/// How many queues are measured at the same time.
const AT_A_TIME: usize = 16;

/// Which of the costly things to read and to tell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// How much memory each queue takes.
    pub(crate) memory: bool,
    /// When each entry of a schedule fired last.
    pub(crate) entries: bool,
}

/// What stood in the store at some moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    queues: Vec<QueueInfo>,
    servers: Vec<ServerStatus>,
    entries: Vec<ScheduledEntry>,
}

impl Snapshot {
    pub(crate) async fn read(inspector: &Inspector, wanted: Wanted) -> Result<Self> {
        let queues =
            if wanted.memory { measured(inspector).await? } else { inspector.queue_counts().await? };
        let servers = inspector.servers().await?;
        let entries = inspector.scheduler_entries().await?;
        Ok(Self { queues, servers, entries })
    }

    pub(crate) fn families(&self, wanted: Wanted) -> Vec<Family> {
        let mut families = self.of_queues();
        families.extend(self.of_servers());
        families.extend(self.of_schedules(wanted.entries));
        families
    }

    /// Compat: the first seven have the names, types and labels of Go's `x/metrics`.
    fn of_queues(&self) -> Vec<Family> {
        let mut tasks =
            Family::new("asynq_tasks_enqueued_total", Kind::Gauge, "Tasks that a queue holds now, by state.");
        let mut size = Family::new("asynq_queue_size", Kind::Gauge, "Tasks that a queue holds now.");
        let mut latency = Family::new(
            "asynq_queue_latency_seconds",
            Kind::Gauge,
            "How long the oldest pending task of a queue has been waiting.",
        );
        let mut memory = Family::new(
            "asynq_queue_memory_usage_approx_bytes",
            Kind::Gauge,
            "Memory that the tasks of a queue take, from a sample.",
        );
        let mut processed = Family::new(
            "asynq_tasks_processed_total",
            Kind::Counter,
            "Runs of tasks that ended, succeeded or failed.",
        );
        let mut failed = Family::new("asynq_tasks_failed_total", Kind::Counter, "Runs of tasks that failed.");
        let mut paused =
            Family::new("asynq_queue_paused_total", Kind::Gauge, "1 while a queue is paused, otherwise 0.");
        let mut consumers = Family::new(
            "asynq_x_queue_consumers",
            Kind::Gauge,
            "Living servers that take tasks from a queue.",
        );
        let mut groups =
            Family::new("asynq_x_queue_groups", Kind::Gauge, "Groups of a queue that hold tasks.");
        let mut orphaned = Family::new(
            "asynq_x_orphaned_tasks",
            Kind::Gauge,
            "Active tasks whose worker let its lease run out.",
        );
        let mut trimmed = Family::new(
            "asynq_x_archive_trimmed_total",
            Kind::Counter,
            "Archived tasks deleted because they were too many or too old.",
        );
        let consumed = self.consumers();
        for info in &self.queues {
            let queue: Arc<str> = Arc::from(info.queue.as_str());
            for (state, count) in [
                ("active", info.active),
                ("pending", info.pending),
                ("scheduled", info.scheduled),
                ("retry", info.retry),
                ("archived", info.archived),
                ("completed", info.completed),
                ("aggregating", info.aggregating),
            ] {
                tasks.push([("queue", Arc::clone(&queue)), ("state", Arc::from(state))], count_of(count));
            }
            let push = |family: &mut Family, value| family.push([("queue", Arc::clone(&queue))], value);
            push(&mut size, count_of(info.size()));
            push(&mut latency, Value::Number(info.latency.as_secs_f64()));
            if let Some(bytes) = info.memory_usage {
                push(&mut memory, total_of(bytes));
            }
            push(&mut processed, total_of(info.processed_total));
            push(&mut failed, total_of(info.failed_total));
            push(&mut paused, count_of(usize::from(info.is_paused())));
            push(&mut consumers, count_of(consumed.get(info.queue.as_str()).copied().unwrap_or(0)));
            push(&mut groups, count_of(info.groups));
            push(&mut orphaned, count_of(info.orphaned));
            push(&mut trimmed, total_of(info.trimmed_total));
        }
        vec![tasks, size, latency, memory, processed, failed, paused, consumers, groups, orphaned, trimmed]
    }

    /// How many living servers take tasks from each queue.
    fn consumers(&self) -> BTreeMap<&str, usize> {
        let mut consumers = BTreeMap::new();
        for queue in self.servers.iter().flat_map(|server| server.queues.keys()) {
            *consumers.entry(queue.as_str()).or_default() += 1;
        }
        consumers
    }

    fn of_servers(&self) -> [Family; 3] {
        let mut servers =
            Family::new("asynq_x_servers", Kind::Gauge, "Living servers, by what they say of themselves.");
        let mut busy = Family::new("asynq_x_workers_busy", Kind::Gauge, "Tasks that servers run now.");
        let mut most =
            Family::new("asynq_x_workers_max", Kind::Gauge, "Tasks that servers can run at one time.");
        let mut by_status: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        by_status.entry("active").or_default();
        for server in &self.servers {
            let of_status = by_status.entry(server.status.as_str()).or_default();
            let concurrency = usize::try_from(server.concurrency).unwrap_or(0);
            for (sum, more) in of_status.iter_mut().zip([1, server.running.len(), concurrency]) {
                *sum = sum.saturating_add(more);
            }
        }
        for (status, counts) in by_status {
            let status: Arc<str> = Arc::from(status);
            for (family, count) in [&mut servers, &mut busy, &mut most].into_iter().zip(counts) {
                family.push([("status", Arc::clone(&status))], count_of(count));
            }
        }
        [servers, busy, most]
    }

    fn of_schedules(&self, with_entries: bool) -> Vec<Family> {
        // Every scheduler tells of the entries that all of them share.
        let mut last = BTreeMap::new();
        for entry in &self.entries {
            let fired = last.entry(entry.id.as_str()).or_default();
            *fired = entry.prev.max(*fired);
        }
        let count = Family::new(
            "asynq_x_scheduler_entries",
            Kind::Gauge,
            "Entries of schedules whose scheduler lives.",
        );
        let mut families = Vec::from([with_count(count, last.len())]);
        if with_entries {
            let mut fired = Family::new(
                "asynq_x_scheduler_last_enqueue_timestamp_seconds",
                Kind::Gauge,
                "When an entry of a schedule fired last, Unix time.",
            );
            for (entry, at) in last {
                let Some(at) = at else { continue };
                fired.push([("entry", Arc::from(entry))], Value::Number(at.as_duration().as_secs_f64()));
            }
            families.push(fired);
        }
        families
    }
}

/// All queues, with the memory that they take.
async fn measured(inspector: &Inspector) -> Result<Vec<QueueInfo>> {
    let measure = |queue| async move {
        match inspector.queue_info(queue).await {
            // It was deleted meanwhile.
            Err(Error::QueueNotFound { .. }) => Ok(None),
            info => info.map(Some),
        }
    };
    let queues = stream::iter(inspector.queues().await?).map(measure).buffered(AT_A_TIME);
    queues.try_filter_map(async |info| Ok(info)).try_collect().await
}

fn with_count(mut family: Family, count: usize) -> Family {
    family.push([], count_of(count));
    family
}

fn count_of(count: usize) -> Value {
    total_of(u64::try_from(count).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn total_of(total: u64) -> Value {
    Value::Number(total as f64)
}
